using System;
using System.Diagnostics;
using FreeFlow.Contract.Layout;
using FreeFlow.Native;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Fabric.Wire;

namespace FreeFlow.Router.Fabric.Links;

/// <summary>
/// What a link's receiving thread does for a short while before it sleeps: it looks itself for more from the other router, and for the answers of the programs to which it has just
/// given something. So questions and answers pass this router without a ring, a wake-up or another thread. Large frames are worth no such wait. Bounded, and adaptive: a
/// wait that turned out short doubles the next one's bound, a long one halves it. The processor is offered to others in between; while they have work of their own this thread does
/// not look by itself, for who offers is put behind all others (as the shim's Spinner).
/// </summary>
internal sealed unsafe class LinkPoller(IByteChannel channel, LinkSender sender)
{
    /// <summary>Payload of a frame that an answer may follow at once.</summary>
    private const uint SmallBytes = 4096;
    private const uint ExpectedPerLook = 64;

    private static readonly long s_most = Stopwatch.Frequency / 10_000, s_least = Stopwatch.Frequency / 1_000_000, s_short = Stopwatch.Frequency / 5_000;

    /// <summary>Somebody else's turn, and how many times as long as it has taken this thread is calm.</summary>
    private static readonly long s_turn = Stopwatch.Frequency * 3 / 10_000;
    private const int CalmFactor = 16;

    private readonly FabricStream[] _streams = new FabricStream[RingLayout.MostAwaited];
    private int _count;
    private uint _expected;
    private long _bound = s_least, _began, _calmUntil;

    /// <summary>Before a frame's payload is placed: its program's answer is looked for, and need not ring; after a large one nothing is.</summary>
    public void Expect(FabricStream stream, uint bytes)
    {
        if (bytes > SmallBytes) { Release(); return; }
        if (Array.IndexOf(_streams, stream, 0, _count) < 0)
        {
            if (_count == RingLayout.MostAwaited || stream.Limit is { HoldsBack: true }) return;
            _streams[_count++] = stream;
        }
        stream.Disarm();
        // Where frames never end nobody waits, and answers would.
        if (++_expected % ExpectedPerLook == 0) Look();
    }

    /// <summary>The stream is about to go.</summary>
    public void Forget(FabricStream stream)
    {
        int index = Array.IndexOf(_streams, stream, 0, _count);
        if (index >= 0) _streams[index] = _streams[--_count];
    }

    /// <summary>Before the thread sleeps in the channel.</summary>
    public void Wait()
    {
        if (_count == 0) return;
        _began = Stopwatch.GetTimestamp();
        while (true)
        {
            Look();
            if (channel.HasInput) return;
            long offered = Stopwatch.GetTimestamp();
            if (offered >= _calmUntil)
            {
                Libc.sched_yield();
                long now = Stopwatch.GetTimestamp();
                if (now - offered > s_turn) _calmUntil = now + ((now - offered) * CalmFactor);
                if (now - _began < _bound) continue;
            }
            Release();
            return;
        }
    }

    /// <summary>After it has slept, or needed not to.</summary>
    public void Arrived()
    {
        if (_began == 0) return;
        _bound = Stopwatch.GetTimestamp() - _began < s_short ? Math.Min(_bound * 2, s_most) : Math.Max(_bound / 2, s_least);
        _began = 0;
    }

    private void Look()
    {
        for (int i = 0; i < _count; i++)
        {
            if (!_streams[i].HasMore) continue;
            sender.TryForward(_streams.AsSpan(i, _count - i));
            return;
        }
    }

    private void Release()
    {
        if (_count == 0) return;
        sender.Watch(_streams.AsSpan(0, _count));
        _count = 0;
    }
}
