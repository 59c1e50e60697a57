using System;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Locations.Etcd;

namespace FreeFlow.Locations.Publishing;

/// <summary>
/// The lease under which a node's keys stand: granted, kept alive, named under <see cref="PublisherOptions.OwnerKey"/> so that the node's next process can end it. One task uses it; only
/// <see cref="Id"/> may be read by others.
/// </summary>
internal sealed class NodeLease(EtcdClient client, PublisherOptions options)
{
    private long _id, _ownedLease, _previousLease, _lastAlive;

    /// <summary>etcd's number of it; 0 while there is none.</summary>
    public long Id => Interlocked.Read(ref _id);

    /// <summary>Grants it or keeps it alive. False if it has ended: the keys under it are gone, and the next call grants another one.</summary>
    /// <exception cref="EtcdException">etcd does not answer.</exception>
    public async Task<bool> KeepAsync(CancellationToken stop)
    {
        if (Id != 0 && Stopwatch.GetElapsedTime(_lastAlive) > options.LeaseTime / 4)
        {
            if (!await client.KeepAliveAsync(Id, stop).ConfigureAwait(false))
            {
                Forget();
                return false;
            }
            _lastAlive = Stopwatch.GetTimestamp();
        }
        if (Id == 0) await GrantAsync(stop).ConfigureAwait(false);
        if (options.OwnerKey is not null && _ownedLease != Id) await OwnAsync(options.OwnerKey, stop).ConfigureAwait(false);
        return true;
    }

    /// <summary>It has ended between two signs of life.</summary>
    public void Forget() => Interlocked.Exchange(ref _id, 0);

    /// <summary>Ends it, and its keys with it.</summary>
    /// <exception cref="EtcdException">etcd does not answer: it ends by itself.</exception>
    public Task RevokeAsync() => Id == 0 ? Task.CompletedTask : client.RevokeAsync(Id, CancellationToken.None);

    /// <summary>Ends the lease of this node's process before, if there was one: what it held and nobody wants any more goes.</summary>
    public async Task RevokePreviousAsync(CancellationToken stop)
    {
        if (_previousLease == 0) return;
        try { await client.RevokeAsync(_previousLease, stop).ConfigureAwait(false); }
        catch (EtcdException exception) when (exception.Code == EtcdException.NotFound) { /* It has ended by itself. */ }
        _previousLease = 0;
    }

    private async Task GrantAsync(CancellationToken stop)
    {
        LeaseResponse granted = await client.GrantAsync((long)Math.Ceiling(options.LeaseTime.TotalSeconds), stop).ConfigureAwait(false);
        Interlocked.Exchange(ref _id, granted.ID);
        _lastAlive = Stopwatch.GetTimestamp();
    }

    private async Task OwnAsync(string key, CancellationToken stop)
    {
        Owner owner = new() { Lease = Id.ToString(CultureInfo.InvariantCulture), Name = options.OwnerName };
        PutResponse put = await client.PutAsync(new() { key = Encoding.UTF8.GetBytes(key), value = owner.ToJson(), lease = Id, prev_kv = true }, stop).ConfigureAwait(false);
        // Only a process that starts succeeds another: one that lost its lease must not end its successor's.
        if (_ownedLease == 0 && put.prev_kv is { } before && before.lease == Owner.LeaseOf(before.value)) _previousLease = before.lease;
        _ownedLease = Id;
    }
}
