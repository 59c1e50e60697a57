using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Locations.Etcd;

namespace FreeFlow.Locations.Publishing;

/// <summary>Holds keys in etcd under one lease: they vanish with the node. Wanted keys are written, unwanted ones deleted at once, and every key is watched:
/// one that another node takes with a newer claim is left to it until it goes. etcd may be away for as long as it likes.</summary>
public sealed class Publisher : IKeySink, IAsyncDisposable
{
    // Up to here every key is watched by itself; beyond, whole prefixes.
    private const int MostSingleKeys = 2000;
    private readonly EtcdClient _client;
    private readonly PublisherOptions _options;
    private readonly Action<string> _log;
    private readonly KeyFollower _follower;
    private readonly ClaimWriter _writer;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Claim> _claims = [];
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly CancellationTokenSource _stop = new();
    private long _lease, _ownedLease, _previousLease, _lastAlive, _turned = Stopwatch.GetTimestamp();
    private bool _complete, _wholePrefixes;
    private readonly HashSet<string> _listed = [];
    private string? _problem;
    private Task _run = Task.CompletedTask;

    /// <param name="client">Closed by the caller, after this.</param>
    /// <param name="options">How.</param>
    /// <param name="log">One line for each change of state and each conflict.</param>
    public Publisher(EtcdClient client, PublisherOptions options, Action<string> log)
    {
        (_client, _options, _log) = (client, options, log);
        _follower = new(client, this);
        _writer = new(client, Settle);
    }

    /// <summary>Time since the publisher last began a round of its work: it does one every few seconds, also while etcd is away.</summary>
    public TimeSpan SinceLastTurn => Stopwatch.GetElapsedTime(Interlocked.Read(ref _turned));

    public PublisherStatus Status
    {
        get
        {
            lock (_lock)
            {
                int held = _claims.Values.Count(claim => claim.State == ClaimState.Held), lost = _claims.Values.Count(claim => claim.State == ClaimState.Lost);
                return new(held, lost, _claims.Count - held - lost, _lease, _problem);
            }
        }
    }

    /// <summary>The key shall have this value.</summary>
    /// <param name="key">An etcd key.</param>
    /// <param name="value">Its value.</param>
    /// <param name="newer">The reason for it has just arisen (an address appeared): it replaces another node's claim. False for what was found at start:
    /// another node's living claim may be the newer one then, and stays.</param>
    public void Want(string key, string value, bool newer)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(value);
        lock (_lock)
        {
            if (_claims.TryGetValue(key, out Claim? claim))
            {
                if (claim.State != ClaimState.Unwanted && claim.Value.AsSpan().SequenceEqual(bytes) && !(newer && claim.State == ClaimState.Lost)) return;
                claim.Newer = newer || claim.State == ClaimState.Held;
                claim.Value = bytes;
                claim.State = ClaimState.Wanted;
            }
            else
            {
                _claims.Add(key, new(key, bytes) { Newer = newer });
            }
        }
        Wake();
    }

    /// <summary>The key shall go, if it is ours.</summary>
    public void Drop(string key)
    {
        lock (_lock)
        {
            if (!_claims.TryGetValue(key, out Claim? claim)) return;
            claim.State = ClaimState.Unwanted;
        }
        Wake();
    }

    /// <summary>Everything that there is at start has been said: what a predecessor on this host left behind may go.</summary>
    public void Complete()
    {
        _complete = true;
        Wake();
    }

    public void Start() => _run = Task.Run(RunAsync);

    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested) return;
        _stop.Cancel();
        await _run.ConfigureAwait(false);
        if (_options.WithdrawOnStop && _lease != 0)
        {
            try { await _client.RevokeAsync(_lease, CancellationToken.None).ConfigureAwait(false); }
            catch (EtcdException exception) { _log($"the entries stay until their lease ends: {exception.Message}"); }
        }
        _stop.Dispose();
        _wake.Dispose();
    }

    private async Task RunAsync()
    {
        Task following = _follower.RunAsync(_stop.Token);
        for (int failures = 0; !_stop.IsCancellationRequested;)
        {
            Interlocked.Exchange(ref _turned, Stopwatch.GetTimestamp());
            try
            {
                await StepAsync().ConfigureAwait(false);
                if (_problem is not null) _log($"etcd answers again at {_client.Endpoint.Authority}");
                _problem = null;
                failures = 0;
                await _wake.WaitAsync(_options.LeaseTime / 3, _stop.Token).ConfigureAwait(false);
            }
            catch (EtcdException exception)
            {
                if (_problem is null) _log($"etcd does not take our entries: {exception.Message}");
                _problem = exception.Message;
                TimeSpan pause = TimeSpan.FromMilliseconds(Math.Min(50 << Math.Min(failures++, 10), _client.Options.LongestPause.TotalMilliseconds) * (0.5 + Random.Shared.NextDouble() / 2));
                await Task.Delay(pause, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }
        await following.ConfigureAwait(false);
    }

    private async Task StepAsync()
    {
        if (_lease != 0 && Stopwatch.GetElapsedTime(_lastAlive) > _options.LeaseTime / 4)
        {
            if (await _client.KeepAliveAsync(_lease, _stop.Token).ConfigureAwait(false)) _lastAlive = Stopwatch.GetTimestamp();
            else LoseLease();
        }
        if (_lease == 0) await GrantAsync().ConfigureAwait(false);
        if (_options.OwnerKey is not null && _ownedLease != _lease) await OwnAsync(_options.OwnerKey).ConfigureAwait(false);
        try
        {
            await ReconcileAsync().ConfigureAwait(false);
        }
        catch (EtcdException exception) when (exception.Code == EtcdException.NotFound)
        {
            // "requested lease not found": it ended between two signs of life.
            LoseLease();
            Wake();
            return;
        }
        if (_complete && _previousLease != 0) await RevokePreviousAsync().ConfigureAwait(false);
    }

    private async Task GrantAsync()
    {
        LeaseResponse granted = await _client.GrantAsync((long)Math.Ceiling(_options.LeaseTime.TotalSeconds), _stop.Token).ConfigureAwait(false);
        _lease = granted.ID;
        _lastAlive = Stopwatch.GetTimestamp();
    }

    private async Task OwnAsync(string key)
    {
        Owner owner = new() { Lease = _lease.ToString(CultureInfo.InvariantCulture), Name = _options.OwnerName };
        PutResponse put = await _client.PutAsync(new() { key = Encoding.UTF8.GetBytes(key), value = owner.ToJson(), lease = _lease, prev_kv = true }, _stop.Token).ConfigureAwait(false);
        // Only a process that starts succeeds another: one that lost its lease must not end its successor's.
        if (_ownedLease == 0 && put.prev_kv is { } before && before.lease == Owner.LeaseOf(before.value)) _previousLease = before.lease;
        _ownedLease = _lease;
    }

    private async Task ReconcileAsync()
    {
        Claim[] wanted, unwanted;
        lock (_lock)
        {
            wanted = [.. _claims.Values.Where(claim => claim.State == ClaimState.Wanted)];
            unwanted = [.. _claims.Values.Where(claim => claim.State == ClaimState.Unwanted)];
            foreach (Claim claim in wanted) claim.Sent = claim.Value;
        }
        if (unwanted.Length > 0)
        {
            await _writer.DeleteAsync(unwanted, _lease, _stop.Token).ConfigureAwait(false);
            lock (_lock) foreach (Claim claim in unwanted) if (claim.State == ClaimState.Unwanted) { _claims.Remove(claim.Key); _follower.Remove(claim.Key); }
        }
        if (wanted.Length == 0) return;
        await _writer.PutAsync(wanted, _lease, _stop.Token).ConfigureAwait(false);
        Follow(wanted);
    }

    private void Follow(Claim[] claims)
    {
        lock (_lock) _wholePrefixes |= _claims.Count > MostSingleKeys;
        foreach (Claim claim in claims) _follower.Add(_wholePrefixes ? KeyRange.Prefix(claim.Key[..(claim.Key.LastIndexOf('/') + 1)]) : KeyRange.One(claim.Key));
    }

    private async Task RevokePreviousAsync()
    {
        try { await _client.RevokeAsync(_previousLease, _stop.Token).ConfigureAwait(false); }
        catch (EtcdException exception) when (exception.Code == EtcdException.NotFound) { /* It has ended by itself. */ }
        _previousLease = 0;
    }

    // A claim ends with its lease: what we held is written again unless another has claimed it meanwhile.
    private void LoseLease()
    {
        int count = 0;
        lock (_lock)
        {
            _lease = 0;
            foreach (Claim claim in _claims.Values.Where(claim => claim.State == ClaimState.Held))
            {
                (claim.State, claim.Newer) = (ClaimState.Wanted, false);
                count++;
            }
        }
        _log($"the lease in etcd has ended{(count > 0 ? $", {count} entries are written again" : "")}");
    }

    private void Settle(Claim claim, KeyValue? other, bool written)
    {
        lock (_lock)
        {
            // Its subject has vanished or changed while it was written.
            if (claim.State != ClaimState.Wanted || claim.Value != claim.Sent)
            {
                claim.Newer = true;
                Wake();
                return;
            }
            claim.State = written ? ClaimState.Held : ClaimState.Lost;
            claim.Newer = false;
            bool conflict = other is not null && !other.value.AsSpan().SequenceEqual(claim.Value);
            if (conflict) Report(claim, other!, written ? "our claim is newer and replaces it" : "that claim was there before this start and stays");
            else if (written) claim.Reported = null;
            if (claim.News is { } news) Hear(claim, news.Entry, news.Deleted);
            claim.News = null;
        }
    }

    private void Report(Claim claim, KeyValue other, string what)
    {
        string value = Printable(other.value);
        if (claim.Reported == value + what) return;
        claim.Reported = value + what;
        _log($"two claims on {claim.Key}: ours says {Printable(claim.Value)}, another {value}; {what}");
    }

    // Another writes the log's text here: no control characters, not too much.
    private static string Printable(byte[] value) =>
        new([.. Encoding.UTF8.GetString(value.AsSpan(0, Math.Min(value.Length, 64))).Select(letter => char.IsControl(letter) ? '?' : letter)]);

    private void Wake()
    {
        try { _wake.Release(); }
        catch (SemaphoreFullException) { /* It is awake already. */ }
    }

    void IKeySink.ListBegins(KeyRange range) => _listed.Clear();

    void IKeySink.Listed(KeyRange range, KeyValue entry)
    {
        _listed.Add(Encoding.UTF8.GetString(entry.key));
        Hear(entry, deleted: false);
    }

    // What is not in the list, and was written before it, has been deleted since.
    void IKeySink.ListEnds(KeyRange range, long revision)
    {
        lock (_lock)
        {
            IEnumerable<string> keys = range.End is null ? [range.Name] : _claims.Keys.Where(key => key.StartsWith(range.Name, StringComparison.Ordinal)).ToArray();
            foreach (string key in keys) if (!_listed.Contains(key)) Hear(new() { key = Encoding.UTF8.GetBytes(key), mod_revision = revision }, deleted: true);
        }
    }

    void IKeySink.Put(KeyRange range, KeyValue entry) => Hear(entry, deleted: false);

    void IKeySink.Deleted(KeyRange range, KeyValue entry) => Hear(entry, deleted: true);

    void IKeySink.Current(Uri endpoint, long revision) { }

    // The writing side says it.
    void IKeySink.Outage(string reason, long lastHeard) { }

    private void Hear(KeyValue entry, bool deleted)
    {
        lock (_lock)
        {
            if (_claims.TryGetValue(Encoding.UTF8.GetString(entry.key), out Claim? claim)) Hear(claim, entry, deleted);
        }
    }

    // Events and answers of writes come by different roads: the revision says which is the later one.
    private void Hear(Claim claim, KeyValue entry, bool deleted)
    {
        if (entry.mod_revision <= claim.Revision || !deleted && entry.lease == _lease) return;
        if (claim.State == ClaimState.Wanted) claim.News = (entry, deleted);
        if (claim.State is not (ClaimState.Held or ClaimState.Lost)) return;
        claim.Revision = entry.mod_revision;
        bool same = !deleted && entry.value.AsSpan().SequenceEqual(claim.Value);
        // Free again; or our own word without a lease, from a writer that knows none: it would outlive this node.
        if (deleted || same && entry.lease == 0)
        {
            claim.State = ClaimState.Wanted;
            Wake();
            return;
        }
        claim.State = ClaimState.Lost;
        if (!same) Report(claim, entry, "that claim is newer, ours is withdrawn");
    }
}
