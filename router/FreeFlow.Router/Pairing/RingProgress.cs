using FreeFlow.Contract.Layout;

namespace FreeFlow.Router.Pairing;

/// <summary>How far one end of a ring on this host has come, at the last looks (<see cref="Sessions.ReaderWatch"/>).</summary>
internal sealed class RingProgress
{
    private bool _sends, _receives;

    /// <summary>Bytes it has put into the ring, and taken out of it, by its own word.</summary>
    public ulong Sent { get; private set; }
    public ulong Received { get; private set; }

    /// <summary>Its program has found the ring full, and has not sent since.</summary>
    public bool IsBlocked { get; private set; }

    /// <summary>Looks in a row that found something for it to do which it had not done at the one before.</summary>
    public int Idle { get; private set; }

    /// <summary>What its record says now.</summary>
    public void Note(in ConnectionRecord record)
    {
        _sends = record.SendTail != Sent;
        _receives = record.ReceiveHead != Received;
        Sent = record.SendTail;
        Received = record.ReceiveHead;
        IsBlocked = record.SendBlocked != 0;
    }

    /// <summary>After both ends have been noted: compares this one with what its peer has done.</summary>
    public void Compare(RingProgress peer, ulong capacity)
    {
        HasInput = peer.Sent - Received is > 0 and <= RingLayout.MaximumCapacity;
        HasRoom = IsBlocked && Sent - peer.Received <= capacity / 2;
        Idle = (HasInput && !_receives) || (HasRoom && !_sends) ? Idle + 1 : 0;
    }

    /// <summary>Bytes of its peer lie in the ring.</summary>
    public bool HasInput { get; private set; }

    /// <summary>The ring that it found full is half empty by now, or more.</summary>
    public bool HasRoom { get; private set; }
}
