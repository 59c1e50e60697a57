using System.Threading;

namespace FreeFlow.Router.Sessions;

/// <summary>What one user of the host (by the kernel's uid) takes of the router's limits.</summary>
internal sealed class UserAccount
{
    public ulong Sessions { get; set; }
    public ulong Connections { get; set; }
    public ulong Rings { get; set; }
    public ulong RingBytes { get; set; }

    /// <summary>Descriptors that other threads are closing for this user.</summary>
    public int SlowCloses => Volatile.Read(ref _slowCloses);

    private int _slowCloses;

    public void BeginSlowClose() => Interlocked.Increment(ref _slowCloses);

    public void EndSlowClose() => Interlocked.Decrement(ref _slowCloses);
}
