using System.Collections.Generic;
using System.Threading;

namespace FreeFlow.Router.Sessions;

/// <summary>What one user of the host (by the kernel's uid) takes of the router's limits.</summary>
internal sealed class UserAccount
{
    public ulong Sessions { get; set; }
    public ulong Connections { get; set; }
    public ulong Rings { get; set; }
    public ulong RingBytes { get; set; }

    /// <summary>Network namespaces that its sessions have shown sockets of, and how many of them: each costs this router two descriptors, and lives as long as it has them.</summary>
    public Dictionary<ulong, int> Namespaces { get; } = [];

    /// <summary>Descriptors that other threads are closing for this user.</summary>
    public int SlowCloses => Volatile.Read(ref _slowCloses);

    private int _slowCloses;

    public void BeginSlowClose() => Interlocked.Increment(ref _slowCloses);

    public void EndSlowClose() => Interlocked.Decrement(ref _slowCloses);
}
