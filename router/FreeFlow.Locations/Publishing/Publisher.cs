using System;
using System.Diagnostics;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Locations.Etcd;

namespace FreeFlow.Locations.Publishing;

/// <summary>Holds keys in etcd under one lease: they vanish with the node. Wanted keys are written, unwanted ones deleted at once, and every key is watched:
/// one that another node takes with a newer claim is left to it until it goes. etcd may be away for as long as it likes.</summary>
public sealed class Publisher : IAsyncDisposable
{
    // Up to here every key is watched by itself; beyond, whole prefixes.
    private const int MostSingleKeys = 2000;
    private readonly EtcdClient _client;
    private readonly PublisherOptions _options;
    private readonly Action<string> _log;
    private readonly NodeLease _lease;
    private readonly ClaimBook _book;
    private readonly KeyFollower _follower;
    private readonly ClaimWriter _writer;
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly CancellationTokenSource _stop = new();
    private long _turned = Stopwatch.GetTimestamp();
    private bool _complete, _wholePrefixes;
    private string? _problem;
    private Task _run = Task.CompletedTask;

    /// <param name="client">Closed by the caller, after this.</param>
    /// <param name="options">How.</param>
    /// <param name="log">One line for each change of state and each conflict.</param>
    public Publisher(EtcdClient client, PublisherOptions options, Action<string> log)
    {
        (_client, _options, _log) = (client, options, log);
        _lease = new(client, options);
        _book = new(() => _lease.Id, Wake, log);
        _follower = new(client, _book);
        _writer = new(client, _book.Settle);
    }

    /// <summary>Time since the publisher last began a round of its work: it does one every few seconds, also while etcd is away.</summary>
    public TimeSpan SinceLastTurn => Stopwatch.GetElapsedTime(Interlocked.Read(ref _turned));

    public PublisherStatus Status
    {
        get
        {
            (int held, int lost, int open) = _book.Counts();
            return new(held, lost, open, _lease.Id, _problem);
        }
    }

    /// <summary>The key shall have this value.</summary>
    /// <param name="key">An etcd key.</param>
    /// <param name="value">Its value.</param>
    /// <param name="newer">The reason for it has just arisen (an address appeared): it replaces another node's claim. False for what was found at start:
    /// another node's living claim may be the newer one then, and stays.</param>
    public void Want(string key, string value, bool newer)
    {
        if (_book.Want(key, Encoding.UTF8.GetBytes(value), newer)) Wake();
    }

    /// <summary>The key shall go, if it is ours.</summary>
    public void Drop(string key)
    {
        if (_book.Drop(key)) Wake();
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
        if (_options.WithdrawOnStop)
        {
            try { await _lease.RevokeAsync().ConfigureAwait(false); }
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
        while (!await _lease.KeepAsync(_stop.Token).ConfigureAwait(false)) WriteAgain();
        try
        {
            await ReconcileAsync().ConfigureAwait(false);
        }
        catch (EtcdException exception) when (exception.Code == EtcdException.NotFound)
        {
            // "requested lease not found": it ended between two signs of life.
            _lease.Forget();
            WriteAgain();
            Wake();
            return;
        }
        if (_complete) await _lease.RevokePreviousAsync(_stop.Token).ConfigureAwait(false);
    }

    private async Task ReconcileAsync()
    {
        (Claim[] wanted, Claim[] unwanted) = _book.Take();
        if (unwanted.Length > 0)
        {
            await _writer.DeleteAsync(unwanted, _lease.Id, _stop.Token).ConfigureAwait(false);
            foreach (string key in _book.Forget(unwanted)) _follower.Remove(key);
        }
        if (wanted.Length == 0) return;
        await _writer.PutAsync(wanted, _lease.Id, _stop.Token).ConfigureAwait(false);
        Follow(wanted);
    }

    private void Follow(Claim[] claims)
    {
        _wholePrefixes |= _book.Count > MostSingleKeys;
        foreach (Claim claim in claims) _follower.Add(_wholePrefixes ? KeyRange.Prefix(claim.Key[..(claim.Key.LastIndexOf('/') + 1)]) : KeyRange.One(claim.Key));
    }

    private void WriteAgain()
    {
        int count = _book.WriteAgain();
        _log($"the lease in etcd has ended{(count > 0 ? $", {count} entries are written again" : "")}");
    }

    private void Wake()
    {
        try { _wake.Release(); }
        catch (SemaphoreFullException) { /* It is awake already. */ }
    }
}
