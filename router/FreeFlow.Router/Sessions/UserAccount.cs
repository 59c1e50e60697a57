using System;
using System.Collections.Generic;
using System.Threading;

namespace FreeFlow.Router.Sessions;

/// <summary>What one user of the host (by the kernel's uid) takes of the router's limits. The event loop's, but for what <see cref="ForeignDescriptors"/> counts.</summary>
/// <param name="userId">The uid.</param>
/// <param name="tell">Called by any thread, once for each <see cref="Await"/>, when something of this user's has been closed.</param>
internal sealed class UserAccount(uint userId = 0, Action<UserAccount>? tell = null)
{
    /// <summary>Descriptors of this user that are to be closed or are being closed; <see cref="ForeignDescriptors"/>'.</summary>
    public int PendingCloses;

    /// <summary>1: its processes are being looked into; <see cref="ReaderWatch"/>'s.</summary>
    public int IsExamined;

    /// <summary>Mappings that this router has for it; <see cref="MapReserve"/>'s.</summary>
    public int Mappings;

    private int _isAwaited;

    public uint UserId { get; } = userId;
    public ulong Sessions { get; set; }
    public ulong Connections { get; set; }
    public ulong Rings { get; set; }
    public ulong RingBytes { get; set; }

    /// <summary>Descriptors that this router keeps for its queue pairs and regions.</summary>
    public ulong VerbsDescriptors { get; set; }

    /// <summary>Network namespaces that its sessions have shown sockets of, and how many of them: each costs this router two descriptors, and lives as long as it has them.</summary>
    public Dictionary<ulong, int> Namespaces { get; } = [];

    /// <summary>Sessions that are not read until less of this user's waits to be closed.</summary>
    public List<Session> Paused { get; } = [];

    /// <summary>True if nothing has to be remembered of it.</summary>
    public bool IsIdle => Sessions == 0 && Volatile.Read(ref PendingCloses) == 0;

    /// <summary>What waits to be closed, and what is asked about its sockets.</summary>
    public UserLane Closing { get; } = new();
    public UserLane Asking { get; } = new();

    /// <summary>Asks to be told of the next close. Whoever calls this looks behind it whether there is one to come.</summary>
    public void Await() => Interlocked.Exchange(ref _isAwaited, 1);

    /// <summary>Any thread, behind a close.</summary>
    public void TellIfAwaited()
    {
        if (Volatile.Read(ref _isAwaited) != 0 && Interlocked.Exchange(ref _isAwaited, 0) != 0) tell?.Invoke(this);
    }
}
