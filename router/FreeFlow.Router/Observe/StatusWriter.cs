using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using FreeFlow.Native;

namespace FreeFlow.Router.Observe;

/// <summary>
/// Writes statuses, a piece of each in turn, as fast as they are read. A session has one at a time, a user some, and all of a user's together a quarter of the one thread's time: what a status costs grows with
/// what others have open, and anybody may ask. Nothing is kept of what nobody reads but the piece at hand.
/// </summary>
internal sealed unsafe class StatusWriter
{
    /// <summary>Statuses of one payer, of which the oldest gives way, and of all.</summary>
    private const int MostOfPayer = 16, Most = 512;

    /// <summary>How much longer than a piece took its payer rests.</summary>
    private const int Rest = 3;

    private const int Stays = 1000, LongestWait = 1000;   // milliseconds

    private readonly object _lock = new();
    private readonly List<StatusStream> _streams = [];
    private readonly Dictionary<(uint, bool), long> _restsUntil = [];
    private readonly int _wake = Libc.eventfd(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK);
    private bool _runs;

    /// <summary>Who is first in turn: of those who bear the cost together only one is served at a time.</summary>
    private int _first;

    /// <summary>Takes it over. False if there are too many, or no thread can be had. Any thread.</summary>
    public bool TryAdd(StatusStream stream)
    {
        lock (_lock)
        {
            StatusStream[] alike = [.. _streams.Where(other => other.Payer == stream.Payer && !other.IsCancelled)];
            foreach (StatusStream other in alike) other.IsCancelled |= other.Session == stream.Session;
            if (alike.Length >= MostOfPayer) alike[0].IsCancelled = true;
            if (_streams.Count >= Most || !(_runs || Threads.TryBegin("status", Run))) return false;
            _runs = true;
            _streams.Add(stream);
            Monitor.Pulse(_lock);
        }
        ulong one = 1;
        Libc.write(_wake, &one, sizeof(ulong));
        return true;
    }

    private void Run()
    {
        while (Streams() is { Length: > 0 } streams)
        {
            bool moved = false;
            _first = (_first + 1) % streams.Length;
            for (int i = 0; i < streams.Length; i++) moved |= Serve(streams[(_first + i) % streams.Length]);
            if (!moved) WaitFor(streams);
        }
    }

    /// <summary>Those that there are; none if none has come for a while, and the thread is to end.</summary>
    private StatusStream[] Streams()
    {
        lock (_lock)
        {
            if (_streams.Count == 0) Monitor.Wait(_lock, Stays);
            if (_streams.Count > 0) return [.. _streams];
            foreach ((uint, bool) rested in _restsUntil.Where(payer => payer.Value < Stopwatch.GetTimestamp()).Select(payer => payer.Key).ToArray()) _restsUntil.Remove(rested);
            _runs = false;
            return [];
        }
    }

    /// <summary>True if the next piece need not be waited for.</summary>
    private bool Serve(StatusStream stream)
    {
        long began = Stopwatch.GetTimestamp();
        if (!(stream.IsCancelled || stream.IsGivenUp) && (stream.IsBlocked || _restsUntil.GetValueOrDefault(stream.Payer) > began)) return false;
        bool goesOn = false;
        try { goesOn = stream.Step(); }
        catch (Exception exception) { Threads.Faulted("status", exception); }
        long now = Stopwatch.GetTimestamp();
        if (!stream.Payer.IsTrusted) _restsUntil[stream.Payer] = now + (Rest * (now - began));
        if (goesOn) return !stream.IsBlocked;
        lock (_lock) _streams.Remove(stream);
        stream.Dispose();
        return true;
    }

    /// <summary>Until one of them can be written to, has rested, or another one comes.</summary>
    private void WaitFor(StatusStream[] streams)
    {
        PollDescriptor* looks = stackalloc PollDescriptor[Most + 1];
        StatusStream[] blocked = new StatusStream[streams.Length];
        int count = 0;
        long now = Stopwatch.GetTimestamp(), until = now + (Stopwatch.Frequency * LongestWait / 1000);
        foreach (StatusStream stream in streams)
        {
            long rested = _restsUntil.GetValueOrDefault(stream.Payer);
            if (rested > now || !stream.IsBlocked) { until = Math.Min(until, rested); continue; }
            blocked[count] = stream;
            looks[count++] = new PollDescriptor { Descriptor = stream.Socket, Events = PollDescriptor.POLLOUT };
        }
        looks[count] = new PollDescriptor { Descriptor = _wake, Events = PollDescriptor.POLLIN };
        Libc.poll(looks, (nuint)count + 1, (int)Math.Ceiling(Math.Max(until - now, 0) * 1000.0 / Stopwatch.Frequency));
        for (int i = 0; i < count; i++) blocked[i].IsBlocked = looks[i].Returned == 0;
        ulong rung;
        Libc.read(_wake, &rung, sizeof(ulong));
    }
}
