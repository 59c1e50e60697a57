using System;
using System.Collections.Generic;
using FreeFlow.Native;
using FreeFlow.Router.Sessions;

namespace FreeFlow.Router.Verbs;

/// <summary>
/// An event channel of a process. The events wait here, because a command may take them back; the process has a socket on which only this router speaks, with one byte in it
/// while there are any, so that it can be polled.
/// </summary>
internal sealed unsafe class CmChannel : IDisposable
{
    /// <summary>Of one channel: a program that never fetches any gets no more.</summary>
    public const int MostEvents = 16384;

    private readonly LinkedList<CmEvent> _events = [];
    private readonly int[] _ends = [-1, -1];
    private bool _isTold;

    private CmChannel(uint number, VerbsClient client) => (Number, Client) = (number, client);

    public uint Number { get; }

    public VerbsClient Client { get; }

    public HashSet<CmIdentifier> Identifiers { get; } = [];

    public bool IsFull => _events.Count >= MostEvents;

    /// <summary>Null with errno if descriptors are short.</summary>
    public static CmChannel? TryCreate(uint number, VerbsClient client)
    {
        CmChannel channel = new(number, client);
        int* ends = stackalloc int[2] { -1, -1 };
        // What the process would send could be anything: it cannot.
        bool made = Libc.socketpair(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0, ends) == 0 && Libc.shutdown(ends[0], Libc.SHUT_RD) == 0;
        (channel._ends[0], channel._ends[1]) = (ends[0], ends[1]);
        if (made && !DescriptorReserve.IsTooHigh(ends[1])) return channel;
        channel.Dispose();
        return null;
    }

    /// <summary>The process's end, once.</summary>
    public int TakeSocket()
    {
        int end = _ends[1];
        _ends[1] = -1;
        return end;
    }

    public void Add(in CmEvent happened)
    {
        _events.AddLast(happened);
        Tell();
    }

    /// <summary>The oldest event, for which the process has taken the byte from its socket.</summary>
    public bool TryTake(out CmEvent oldest)
    {
        _isTold = false;
        oldest = default;
        if (_events.First is not { } first) return false;
        oldest = first.Value;
        _events.RemoveFirst();
        if (_events.Count != 0) Tell();
        return true;
    }

    /// <summary>Takes all events of an identifier off the channel. <paramref name="mustQuieten"/>: no event is left, and the process takes the byte from its socket.</summary>
    public List<CmEvent> TakeBack(CmIdentifier identifier, out bool mustQuieten)
    {
        List<CmEvent> taken = [];
        for (LinkedListNode<CmEvent>? at = _events.First, next; at is not null; at = next)
        {
            next = at.Next;
            if (at.Value.Of != identifier) continue;
            taken.Add(at.Value);
            _events.Remove(at);
        }
        mustQuieten = _isTold && _events.Count == 0;
        if (mustQuieten) _isTold = false;
        return taken;
    }

    public void Dispose()
    {
        foreach (int end in _ends) if (end >= 0) ForeignDescriptors.CloseShared(end);
        _ends.AsSpan().Fill(-1);
        _events.Clear();
    }

    private void Tell()
    {
        byte one = 1;
        if (!_isTold) _isTold = Libc.send(_ends[0], &one, 1, Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL) == 1;
    }
}
