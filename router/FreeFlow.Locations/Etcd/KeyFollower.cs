using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

namespace FreeFlow.Locations.Etcd;

/// <summary>Keeps a sink informed of a set of ranges: lists each once, then follows all of them by one watch stream, each from its own revision on.
/// Lists again only where the watch cannot go on: after compaction, or when etcd is not the one it was.</summary>
internal sealed class KeyFollower(EtcdClient client, IKeySink sink)
{
    private readonly KeyLister _lister = new(client, sink);
    private readonly Lock _lock = new();
    private readonly Dictionary<string, KeyRange> _ranges = [];
    private CancellationTokenSource _changed = new();
    private ulong _cluster;
    private int _barrenWatches;
    private long _lastHeard = Stopwatch.GetTimestamp();

    /// <summary>Follows one more range; false if it is followed already.</summary>
    public bool Add(KeyRange range)
    {
        lock (_lock)
        {
            if (!_ranges.TryAdd(range.Name, range)) return false;
            // On another thread: what waits for it must not go on here, under our lock.
            _ = _changed.CancelAsync();
            return true;
        }
    }

    /// <summary>Ends following a range. The open watch may still speak of it for a moment.</summary>
    public void Remove(string name)
    {
        lock (_lock)
        {
            // Not worth a new stream: the next one is without it.
            _ranges.Remove(name);
        }
    }

    public async Task RunAsync(CancellationToken stop)
    {
        for (int failures = 0; !stop.IsCancellationRequested;)
        {
            KeyRange[] ranges;
            CancellationToken changed;
            lock (_lock)
            {
                if (_changed.IsCancellationRequested) _changed = new();
                changed = _changed.Token;
                ranges = [.. _ranges.Values];
            }
            using CancellationTokenSource wake = CancellationTokenSource.CreateLinkedTokenSource(stop, changed);
            try
            {
                if (ranges.Length == 0)
                {
                    await Task.Delay(Timeout.Infinite, wake.Token).ConfigureAwait(false);
                    continue;
                }
                // A new range does not interrupt another's list: only the watch is given up for it.
                foreach (KeyRange range in ranges) if (range.Next == 0) await ListAsync(range, stop).ConfigureAwait(false);
                await FollowAsync(ranges, () => failures = 0, wake.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (wake.IsCancellationRequested)
            {
                continue;
            }
            catch (EtcdException exception)
            {
                if (wake.IsCancellationRequested) continue;
                sink.Outage(exception.Message, _lastHeard);
                await PauseAsync(failures++, stop).ConfigureAwait(false);
            }
        }
    }

    private async Task ListAsync(KeyRange range, CancellationToken stop)
    {
        ResponseHeader seen = await _lister.ListAsync(range, stop).ConfigureAwait(false);
        _cluster = seen.cluster_id;
        range.Next = seen.revision + 1;
    }

    private async Task FollowAsync(KeyRange[] ranges, Action alive, CancellationToken stop)
    {
        using CancellationTokenSource dead = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Uri endpoint = client.Endpoint;
        EtcdWatch? watch = null;
        bool heard = false;
        long began = Stopwatch.GetTimestamp();
        try
        {
            dead.CancelAfter(client.Options.CallTimeout);
            watch = await client.WatchAsync(ranges, dead.Token).ConfigureAwait(false);
            Dictionary<long, KeyRange> byId = [];
            while (true)
            {
                WatchResponse answer = await watch.ReadAsync(dead.Token).ConfigureAwait(false);
                _lastHeard = Stopwatch.GetTimestamp();
                if (answer.created && !answer.canceled && byId.Count < ranges.Length)
                {
                    await CheckAsync(ranges, answer.header, dead.Token).ConfigureAwait(false);
                    byId[answer.watch_id] = ranges[byId.Count];
                    if (byId.Count < ranges.Length) continue;
                    // From here on silence is no fault, if etcd still answers.
                    dead.CancelAfter(Timeout.Infinite);
                    alive();
                    sink.Current(watch.Endpoint, answer.header.revision);
                    _ = ProbeAsync(watch.Endpoint, ranges[0], dead);
                    continue;
                }
                if (!byId.TryGetValue(answer.watch_id, out KeyRange? range)) range = ranges[Math.Min(byId.Count, ranges.Length - 1)];
                if (answer.canceled) throw Cancelled(range, answer, watch.Endpoint);
                heard |= answer.events.Length > 0;
                Deliver(range, answer);
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new EtcdException($"{endpoint.Authority}: does not answer", EtcdException.Unavailable);
        }
        finally
        {
            bool wanted = stop.IsCancellationRequested;
            dead.Cancel();
            watch?.Dispose();
            if (!wanted)
            {
                client.Avoid(endpoint);
                // A stream that can be opened and breaks at once, again and again: perhaps an answer that is too large for the gateway. A list has pages.
                _barrenWatches = watch is null || heard || Stopwatch.GetElapsedTime(began) > TimeSpan.FromSeconds(5) ? 0 : _barrenWatches + 1;
                if (_barrenWatches >= 5) { _barrenWatches = 0; Forget(ranges); }
            }
        }
    }

    private void Deliver(KeyRange range, WatchResponse answer)
    {
        foreach (WatchEvent change in answer.events)
        {
            if (change.kv.mod_revision < range.Next) continue;
            if (change.type == "DELETE") sink.Deleted(range, change.kv); else sink.Put(range, change.kv);
        }
        // All events of one revision come in one answer: only after it may the next watch begin behind them.
        if (answer.events.Length > 0) range.Next = Math.Max(range.Next, answer.events[^1].kv.mod_revision + 1);
    }

    // A cluster that was set up anew, or restored from a backup, counts from before where we are: a watch would wait for a revision that means something else.
    // A member that merely lags does so too: a linearizable read tells the two apart.
    private async Task CheckAsync(KeyRange[] ranges, ResponseHeader header, CancellationToken stop)
    {
        if (header.cluster_id == _cluster)
        {
            long next = ranges.Max(range => range.Next);
            if (next <= header.revision + 1) return;
            RangeResponse now = await client.RangeAsync(new() { key = ranges[0].Key, keys_only = true }, stop).ConfigureAwait(false);
            if (now.header.cluster_id == _cluster && next <= now.header.revision + 1) return;
        }
        Forget(ranges);
        throw new EtcdException("etcd holds other data than before; everything is listed again", EtcdException.OutOfRange);
    }

    private static EtcdException Cancelled(KeyRange range, WatchResponse answer, Uri endpoint)
    {
        range.Next = 0;
        return new(answer.compact_revision > 0
            ? $"{endpoint.Authority}: revisions up to {answer.compact_revision} are compacted; {range.Name} is listed again"
            : $"{endpoint.Authority}: ended the watch of {range.Name}: {answer.cancel_reason ?? "no reason given"}", EtcdException.OutOfRange);
    }

    private static void Forget(KeyRange[] ranges)
    {
        foreach (KeyRange range in ranges) range.Next = 0;
    }

    // A process that hangs keeps its connections: the kernel's keep-alive does not notice. A read that one member can answer alone costs next to nothing.
    private async Task ProbeAsync(Uri endpoint, KeyRange range, CancellationTokenSource dead)
    {
        try
        {
            while (true)
            {
                await Task.Delay(client.Options.ProbeInterval * (0.75 + Random.Shared.NextDouble() / 2), dead.Token).ConfigureAwait(false);
                await client.ProbeAsync(endpoint, range.Key, dead.Token).ConfigureAwait(false);
                _lastHeard = Stopwatch.GetTimestamp();
            }
        }
        catch (EtcdException)
        {
            dead.Cancel();
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
        {
            // The watch has ended.
        }
    }

    private async Task PauseAsync(int failures, CancellationToken stop)
    {
        double milliseconds = Math.Min(client.Options.LongestPause.TotalMilliseconds, 50 << Math.Min(failures, 10));
        await Task.Delay(TimeSpan.FromMilliseconds(milliseconds * (0.5 + Random.Shared.NextDouble() / 2)), stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
