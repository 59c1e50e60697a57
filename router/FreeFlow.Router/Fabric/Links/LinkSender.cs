using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Threading;
using FreeFlow.Native;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Fabric.Wire;

namespace FreeFlow.Router.Fabric.Links;

/// <summary>The sending half of a link: sleeps on the doorbells of its streams, and forwards what they have, in turns.</summary>
/// <param name="writer">Of the link's channel.</param>
/// <param name="streams">The link's.</param>
/// <param name="largestPayload">Bytes of one stream's turn, in one frame.</param>
internal sealed unsafe class LinkSender(FrameWriter writer, ConcurrentDictionary<uint, FabricStream> streams, uint largestPayload)
{
    private const int EventsAtATime = 64;

    /// <summary>Frames about no stream that wait to be sent: all offers of a large host at once, and more.</summary>
    private const int MostMessages = 500_000;

    /// <summary>From here on programs of this host cause no more of them: what they can bring about must not end the link.</summary>
    private const int Crowd = MostMessages / 4;

    /// <summary>Streams that wait for their turns, from which on turns are short, so that they get on evenly.</summary>
    private const int ManyStreams = 4;
    private const int MostDebtsBetweenTurns = 16;
    private const ulong BytesPerLook = 4095;
    private const ulong WakeKey = 0;

    /// <summary>Silence after which a Ping says that this side lives; the other one gives up after some of them.</summary>
    private const int PingMilliseconds = 500;

    /// <summary>Half as many packets.</summary>
    private readonly ulong _shortTurn = ((largestPayload + FrameHeader.Bytes) / 2) - FrameHeader.Bytes;

    private readonly int _epoll = Libc.epoll_create1(Libc.EPOLL_CLOEXEC);
    private readonly int _wake = Libc.eventfd(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK);
    private readonly ConcurrentQueue<FabricStream> _woken = new();
    private readonly ConcurrentQueue<FabricStream> _added = new();
    private readonly ConcurrentQueue<(FrameHeader Header, byte[] Message)> _messages = new();
    private readonly Queue<FabricStream> _turns = new();
    private readonly Queue<FabricStream> _first = new();
    private readonly PriorityQueue<FabricStream, (long At, long LastUsed)> _held = new();
    private readonly Dictionary<uint, FabricStream> _carried = [];
    private readonly Lock _ending = new();

    /// <summary>Held by whoever puts streams' bytes into frames. This link's own thread keeps it while it waits for the other side to take some: the receiving one only ever tries.</summary>
    private readonly Lock _working = new();
    private bool _stopped, _freed;
    private int _wakeRaised, _waitingMessages;
    private long _framesSeen, _lastFrame;

    /// <summary>False if descriptors were short: it can neither sleep nor be woken then.</summary>
    public bool IsUsable => _epoll >= 0 && _wake >= 0 && !DescriptorReserve.IsTooHigh(_epoll) && !DescriptorReserve.IsTooHigh(_wake);

    /// <summary>Any thread.</summary>
    public bool IsCrowded => Volatile.Read(ref _waitingMessages) > Crowd;

    /// <summary>Any thread: sends a frame that no stream of this side sends. False if too many wait already: the other side makes this one answer, and does not read.</summary>
    public bool Enqueue(FrameHeader header, byte[] message)
    {
        header.Length = (uint)message.Length;
        if (Interlocked.Increment(ref _waitingMessages) > MostMessages) return false;
        _messages.Enqueue((header, message));
        Raise();
        return true;
    }

    /// <summary>Any thread: takes a stream; false, and the stream disposed, if the link has ended.</summary>
    public bool Add(FabricStream stream)
    {
        lock (_ending)
        {
            if (!_freed) { _added.Enqueue(stream); Raise(); return true; }
        }
        stream.Dispose();
        return false;
    }

    /// <summary>Any thread: the stream has something to say.</summary>
    public void Wake(FabricStream stream)
    {
        _woken.Enqueue(stream);
        Raise();
    }

    /// <summary>Any thread: makes <see cref="Run"/> return.</summary>
    public void Stop()
    {
        Volatile.Write(ref _stopped, true);
        Raise();
    }

    /// <summary>Works until it is stopped or the channel fails.</summary>
    public void Run()
    {
        EpollEvent* events = stackalloc EpollEvent[EventsAtATime];
        Watch(_wake, WakeKey, 0);
        int count = 0;
        while (!Volatile.Read(ref _stopped) && !writer.Failed)
        {
            int pause;
            lock (_working)
            {
                for (int i = 0; i < count; i++) Heard(events[i]);
                TakeNews();
                for (int turns = _turns.Count; turns > 0 && !writer.Failed; turns--)
                {
                    PayDebts();
                    TakeTurn(_turns.Dequeue());
                }
                PayDebts();
                PingIfSilent();
                writer.Flush();
                pause = HasTurns ? 0 : UntilHeldGoOn();
            }
            count = Libc.epoll_wait(_epoll, events, EventsAtATime, pause);
        }
    }

    /// <summary>Receiving thread: puts a little of what these streams have on its way, unless this would have to wait for something.</summary>
    public void TryForward(ReadOnlySpan<FabricStream> streams)
    {
        if (!_working.TryEnter()) return; // the other thread will, or the next look
        if (!writer.HasKept)
        {
            bool left = false;
            foreach (FabricStream stream in streams)
            {
                if (!stream.HasMore || !stream.Send(writer, BytesPerLook)) continue;
                Queue(stream);
                left = true;
            }
            FlushLittle(left);
        }
        _working.Exit();
    }

    /// <summary>Receiving thread: the stream has something to say, and to say it from here costs less than to wake the other thread, if nothing has to be waited for.</summary>
    public void Tell(FabricStream stream)
    {
        if (stream.Limit is not null || !_working.TryEnter()) { Wake(stream); return; }
        if (writer.HasKept) Wake(stream);
        else
        {
            // Nothing more may come: then what the program reads from here on is told because it rings.
            bool left = stream.Send(writer, BytesPerLook) || stream.ArmReading();
            if (left) Queue(stream);
            FlushLittle(left);
        }
        _working.Exit();
    }

    private void FlushLittle(bool left)
    {
        writer.Flush(mayWait: false);
        if (left || writer.HasKept || writer.Failed) Raise();
    }

    /// <summary>Receiving thread: from here on these streams' shims have to ring again.</summary>
    public void Watch(ReadOnlySpan<FabricStream> streams)
    {
        bool armed = _working.TryEnter();
        foreach (FabricStream stream in streams)
        {
            if (!armed || stream.Arm()) Wake(stream);
        }
        if (armed) _working.Exit();
    }

    /// <summary>Milliseconds that may be slept; streams whose rate allows more by now get their turn.</summary>
    private int UntilHeldGoOn()
    {
        while (_held.TryPeek(out FabricStream? stream, out (long At, long LastUsed) due))
        {
            long left = due.At - Environment.TickCount64;
            if (left > 0) return (int)Math.Min(left, PingMilliseconds);
            _held.Dequeue();
            Queue(stream);
        }
        return HasTurns ? 0 : PingMilliseconds;
    }

    private void PingIfSilent()
    {
        long now = Environment.TickCount64;
        if (writer.Frames != _framesSeen) { _framesSeen = writer.Frames; _lastFrame = now; }
        if (now - _lastFrame < PingMilliseconds) return;
        writer.Write(new FrameHeader { Type = FrameType.Ping });
    }

    /// <summary>After both threads of the link have ended.</summary>
    public void DisposeStreams()
    {
        lock (_ending) _freed = true;
        while (_added.TryDequeue(out FabricStream? stream)) _carried[stream.Number] = stream;
        foreach (FabricStream stream in _carried.Values) stream.Dispose();
        _carried.Clear();
        streams.Clear();
        Libc.close(_epoll);
        Libc.close(_wake);
    }

    private void Raise()
    {
        if (Interlocked.Exchange(ref _wakeRaised, 1) != 0) return;
        ulong one = 1;
        lock (_ending)
        {
            if (!_freed) Libc.write(_wake, &one, sizeof(ulong));
        }
    }

    private void TakeNews()
    {
        // In this order: an offer that is accepted must find the stream watched, not the other way round.
        while (_added.TryDequeue(out FabricStream? stream))
        {
            _carried[stream.Number] = stream;
            if (!Watch(stream.Ring.Bell, stream.Number, Libc.EPOLLET | Libc.EPOLLRDHUP)) stream.Abandon();
            Queue(stream);
        }
        while (_messages.TryDequeue(out (FrameHeader Header, byte[] Message) message))
        {
            Interlocked.Decrement(ref _waitingMessages);
            writer.Write(message.Header, message.Message);
        }
        while (_woken.TryDequeue(out FabricStream? stream)) Queue(stream);
    }

    private void Heard(in EpollEvent happened)
    {
        if (happened.Data == WakeKey)
        {
            ulong count;
            _ = Libc.read(_wake, &count, sizeof(ulong));
            // Before the lists are looked at: who finds it raised until then leaves it at that.
            Interlocked.Exchange(ref _wakeRaised, 0);
            return;
        }
        if (!_carried.TryGetValue((uint)happened.Data, out FabricStream? stream)) return;
        // Edge triggered, and one event may stand for any number of rings: a bell that is not emptied each time is full one day, and then no ring is an event any more.
        if ((happened.Events & (Libc.EPOLLHUP | Libc.EPOLLRDHUP)) != 0 || !stream.Ring.Hear()) stream.IsShimGone = true;
        Queue(stream);
    }

    private void Queue(FabricStream stream)
    {
        if (stream.IsQueued) return;
        stream.IsQueued = true;
        (stream.Limit is { GoesFirst: true } ? _first : _turns).Enqueue(stream);
    }

    private bool HasTurns => _turns.Count + _first.Count > 0;

    /// <summary>Between any two turns: streams that have had less than they are to get; not so many that the others stand still.</summary>
    private void PayDebts()
    {
        for (int turns = MostDebtsBetweenTurns; turns > 0 && _first.Count > 0 && !writer.Failed; turns--) TakeTurn(_first.Dequeue());
    }

    private void TakeTurn(FabricStream stream)
    {
        stream.IsQueued = false;
        if (!_carried.ContainsKey(stream.Number)) return;
        int pause = 0;
        ulong most = _turns.Count < ManyStreams ? largestPayload : _shortTurn;
        ulong quota = stream.Limit?.Take(most, out pause) ?? most, sent = stream.BytesSent;
        bool more = stream.Send(writer, quota);
        stream.Limit?.Used(quota, stream.BytesSent - sent);
        if (more && quota < most) { _held.Enqueue(stream, (Environment.TickCount64 + Math.Max(pause, 1), stream.Limit!.LastUsed)); return; }
        if (more || stream.Arm()) { Queue(stream); return; }
        if (!stream.IsOver) return;
        _carried.Remove(stream.Number);
        stream.Dispose();
    }

    private bool Watch(int descriptor, ulong key, uint how)
    {
        EpollEvent interest = new() { Events = Libc.EPOLLIN | how, Data = key };
        return Libc.epoll_ctl(_epoll, Libc.EPOLL_CTL_ADD, descriptor, &interest) == 0;
    }
}
