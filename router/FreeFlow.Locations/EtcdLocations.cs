using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Locations.Etcd;

namespace FreeFlow.Locations;

/// <summary>Locations out of etcd, all of them: listed once, then watched. What a router needs up to some thousand hosts (docs/scale.md);
/// beyond, <see cref="EtcdUsedLocations"/>.</summary>
public sealed class EtcdLocations : ILocations, IKeySink
{
    private readonly LocationTable _table = new();
    private readonly KeyFollower _follower;
    private readonly ViewState _state;
    private readonly CancellationTokenSource _stop = new();
    private HashSet<Address>? _before;
    private Task _run = Task.CompletedTask;

    /// <param name="client">Closed by the caller, after this.</param>
    /// <param name="log">One line for each change of state.</param>
    public EtcdLocations(EtcdClient client, Action<string> log)
    {
        _state = new("etcd", _table, log);
        _follower = new(client, this);
        // Hosts before addresses: an address then finds its host complete.
        _follower.Add(KeyRange.Prefix(LocationKeys.NodePrefix));
        _follower.Add(KeyRange.Prefix(LocationKeys.RouterPrefix));
        _follower.Add(KeyRange.Prefix(LocationKeys.AddressPrefix));
    }

    public event Action<LocationChange>? Changed { add => _table.Changed += value; remove => _table.Changed -= value; }

    public LocationView View => _state.View;

    public void Start() => _run = Task.Run(() => _follower.RunAsync(_stop.Token));

    public LocationAnswer Find(Address address, out Host? host)
    {
        host = _table.Find(address);
        return host is not null ? LocationAnswer.Found : _state.HasLearnt ? LocationAnswer.Nowhere : LocationAnswer.Unknown;
    }

    public async ValueTask DisposeAsync()
    {
        _stop.Cancel();
        await _run.ConfigureAwait(false);
        _stop.Dispose();
    }

    void IKeySink.ListBegins(KeyRange range) => _before = [.. range.Name switch
    {
        LocationKeys.AddressPrefix => _table.Snapshot(),
        LocationKeys.NodePrefix => _table.NamedHosts(),
        _ => _table.DescribedHosts(),
    }];

    void IKeySink.Listed(KeyRange range, KeyValue entry)
    {
        if (EtcdEntry.Apply(_table, entry) is { } address) _before!.Remove(address);
    }

    void IKeySink.ListEnds(KeyRange range, long revision)
    {
        foreach (Address gone in _before!) EtcdEntry.Remove(_table, range.Name, gone);
        _before = null;
        if (range.Name == LocationKeys.AddressPrefix) _state.Learnt();
    }

    void IKeySink.Put(KeyRange range, KeyValue entry)
    {
        // A value that cannot be read is no location: not the old one either.
        if (EtcdEntry.Apply(_table, entry) is null) EtcdEntry.Remove(_table, entry);
        _state.Revision = entry.mod_revision;
    }

    void IKeySink.Deleted(KeyRange range, KeyValue entry)
    {
        EtcdEntry.Remove(_table, entry);
        _state.Revision = entry.mod_revision;
    }

    void IKeySink.Current(Uri endpoint, long revision) => _state.Current(endpoint.Authority, revision);

    void IKeySink.Outage(string reason, long lastHeard) => _state.Outage(reason, lastHeard);
}
