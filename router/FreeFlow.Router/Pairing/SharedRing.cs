using System.Threading;

namespace FreeFlow.Router.Pairing;

/// <summary>What the router remembers of a ring that two ends of this host share: enough to find it again in their memory. It keeps no descriptor of it.</summary>
/// <param name="peer">The end it is shared with.</param>
/// <param name="side">This end's side of it.</param>
/// <param name="device">The memfd's device,</param>
/// <param name="inode">and inode.</param>
internal sealed class SharedRing(ConnectionEnd peer, uint side, ulong device, ulong inode)
{
    private int _returning;
    private bool _isUnheard;

    /// <summary>How far this end has come, as its process says.</summary>
    public RingProgress Progress { get; } = new();

    public ConnectionEnd Peer { get; } = peer;
    public uint Side { get; } = side;
    public ulong Device { get; } = device;
    public ulong Inode { get; } = inode;

    /// <summary>True the first time that this end's process is found not to hear of the ring.</summary>
    public bool TryMarkUnheard()
    {
        bool first = !_isUnheard;
        _isUnheard = true;
        return first;
    }

    /// <summary>False if somebody stands in for this end already; otherwise until <see cref="EndReturn"/> nobody else does.</summary>
    public bool TryBeginReturn() => Interlocked.CompareExchange(ref _returning, 1, 0) == 0;

    /// <summary>Any thread.</summary>
    public void EndReturn() => Volatile.Write(ref _returning, 0);
}
