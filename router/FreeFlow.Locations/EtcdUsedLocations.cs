using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Locations.Etcd;
using FreeFlow.Locations.Identities;

namespace FreeFlow.Locations;

/// <summary>Locations out of etcd, only those that are asked for: a key is listed when its address is first wanted and watched from then on, until nobody
/// has asked for it for a while. A host of a large cluster talks to few of its addresses; docs/scale.md counts what that saves.</summary>
public sealed class EtcdUsedLocations : ILocations, IKeySink
{
    private sealed class Interest
    {
        public bool Answered, Identity;
        public long LastUsed;
    }

    private readonly LocationTable _table = new();
    private readonly KeyFollower _follower;
    private readonly ViewState _state;
    private readonly Lock _lock = new();
    private readonly Dictionary<Address, Interest> _interests = [];
    private readonly HashSet<Address> _hosts = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly int _most;
    private readonly TimeSpan _keep;
    private bool _listed;
    private Task _run = Task.CompletedTask;

    /// <param name="client">Closed by the caller, after this.</param>
    /// <param name="log">One line for each change of state.</param>
    /// <param name="most">Addresses that are followed at most; the longest unused are forgotten for new ones, so that a program that tries every address costs no memory.</param>
    /// <param name="keep">How long an address is followed after its last use; default 10 minutes.</param>
    public EtcdUsedLocations(EtcdClient client, Action<string> log, int most = 16384, TimeSpan? keep = null)
    {
        (_most, _keep) = (most, keep ?? TimeSpan.FromMinutes(10));
        _state = new("etcd (used addresses)", _table, log);
        _follower = new(client, this);
    }

    public event Action<LocationChange>? Changed;

    public event Action<Address>? IdentityChanged { add => _table.Identities.Changed += value; remove => _table.Identities.Changed -= value; }

    public LocationView View => _state.View;

    public void Start()
    {
        _table.Changed += change => Changed?.Invoke(change);
        _run = Task.Run(async () =>
        {
            Task sweep = SweepAsync();
            await _follower.RunAsync(_stop.Token).ConfigureAwait(false);
            await sweep.ConfigureAwait(false);
        });
    }

    public LocationAnswer Find(Address address, out Host? host)
    {
        lock (_lock)
        {
            if (_interests.TryGetValue(address, out Interest? interest))
            {
                interest.LastUsed = Environment.TickCount64;
                host = _table.Find(address);
                return host is not null ? LocationAnswer.Found : interest.Answered ? LocationAnswer.Nowhere : LocationAnswer.Unknown;
            }
            host = null;
            if (address.IsOfNoPlace) return LocationAnswer.Nowhere;
            if (_interests.Count >= _most) ForgetOldest(_most / 8 + 1);
            _interests.Add(address, new() { LastUsed = Environment.TickCount64 });
        }
        _follower.Add(KeyRange.One(LocationKeys.AddressPrefix + address));
        return LocationAnswer.Unknown;
    }

    /// <summary>Known with the second call at the earliest: the first makes the identity one of those that are followed, with its address.</summary>
    public Identity? IdentityOf(Address address)
    {
        _ = Find(address, out _);
        bool first;
        lock (_lock)
        {
            if (!_interests.TryGetValue(address, out Interest? interest)) return null;
            first = !interest.Identity;
            interest.Identity = true;
        }
        if (first) _follower.Add(KeyRange.One(LocationKeys.IdentityPrefix + address));
        return _table.IdentityOf(address);
    }

    public void FollowIdentities() { }

    public async ValueTask DisposeAsync()
    {
        _stop.Cancel();
        await _run.ConfigureAwait(false);
        _stop.Dispose();
    }

    void IKeySink.ListBegins(KeyRange range) => _listed = false;

    void IKeySink.Listed(KeyRange range, KeyValue entry) => _listed |= Take(entry);

    void IKeySink.ListEnds(KeyRange range, long revision)
    {
        KeyValue nothing = new() { key = range.Key };
        if (!_listed) EtcdEntry.Remove(_table, nothing);
        if (!LocationKeys.TryParse(range.Key, LocationKeys.AddressPrefix, out Address address)) return;
        _state.Learnt();
        bool first;
        lock (_lock)
        {
            first = _interests.TryGetValue(address, out Interest? interest) && !interest.Answered;
            if (first) interest!.Answered = true;
        }
        // Who asked waits for an answer, and "nowhere" is one.
        if (first && !_listed) Changed?.Invoke(new(address, null));
    }

    void IKeySink.Put(KeyRange range, KeyValue entry)
    {
        if (!Take(entry)) EtcdEntry.Remove(_table, entry);
        _state.Revision = entry.mod_revision;
    }

    void IKeySink.Deleted(KeyRange range, KeyValue entry)
    {
        EtcdEntry.Remove(_table, entry);
        _state.Revision = entry.mod_revision;
    }

    void IKeySink.Current(Uri endpoint, long revision) => _state.Current(endpoint.Authority, revision);

    void IKeySink.Outage(string reason, long lastHeard) => _state.Outage(reason, lastHeard);

    // With the first address on a host, what is known of the host is wanted too.
    private bool Take(KeyValue entry)
    {
        // An event on its way when its address was forgotten.
        if (LocationKeys.TryParse(entry.key, LocationKeys.AddressPrefix, out Address subject) || LocationKeys.TryParse(entry.key, LocationKeys.IdentityPrefix, out subject)) lock (_lock) if (!_interests.ContainsKey(subject)) return false;
        if (EtcdEntry.Apply(_table, entry) is not { } address) return false;
        if (_table.Find(address) is not { } host || !LocationKeys.TryParse(entry.key, LocationKeys.AddressPrefix, out _)) return true;
        lock (_lock) if (!_hosts.Add(host.Address)) return true;
        _follower.Add(KeyRange.One(LocationKeys.RouterPrefix + host.Address));
        _follower.Add(KeyRange.One(LocationKeys.NodePrefix + host.Address));
        return true;
    }

    private async Task SweepAsync()
    {
        using PeriodicTimer timer = new(_keep / 4);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
            {
                lock (_lock)
                {
                    long limit = Environment.TickCount64 - (long)_keep.TotalMilliseconds;
                    foreach (Address address in _interests.Where(entry => entry.Value.LastUsed < limit).Select(entry => entry.Key).ToArray()) Forget(address);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private void ForgetOldest(int count)
    {
        foreach (Address address in _interests.OrderBy(entry => entry.Value.LastUsed).Take(count).Select(entry => entry.Key).ToArray()) Forget(address);
    }

    // The host's own two keys stay followed: they are few, and it is likely to be wanted again.
    private void Forget(Address address)
    {
        _interests.Remove(address);
        _follower.Remove(LocationKeys.AddressPrefix + address);
        _follower.Remove(LocationKeys.IdentityPrefix + address);
        _table.Remove(address, silently: true);
        _table.Identities.Remove(address, silently: true);
    }
}
