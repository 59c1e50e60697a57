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
public sealed class EtcdLocations : TableLocations, IKeySink
{
    private readonly KeyFollower _follower;
    private HashSet<Address>? _before;

    /// <param name="client">Closed by the caller, after this.</param>
    /// <param name="log">One line for each change of state.</param>
    public EtcdLocations(EtcdClient client, Action<string> log) : base("etcd", log)
    {
        _follower = new(client, this);
        // Hosts before addresses: an address then finds its host complete.
        _follower.Add(KeyRange.Prefix(LocationKeys.NodePrefix));
        _follower.Add(KeyRange.Prefix(LocationKeys.RouterPrefix));
        _follower.Add(KeyRange.Prefix(LocationKeys.AddressPrefix));
    }

    /// <summary>They are listed behind the addresses, which so are there no later than without them.</summary>
    public override void FollowIdentities() => _follower.Add(KeyRange.Prefix(LocationKeys.IdentityPrefix));

    private protected override Task RunAsync(CancellationToken stop) => _follower.RunAsync(stop);

    void IKeySink.ListBegins(KeyRange range) => _before = [.. range.Name switch
    {
        LocationKeys.AddressPrefix => Table.Snapshot(),
        LocationKeys.NodePrefix => Table.NamedHosts(),
        LocationKeys.IdentityPrefix => Table.Identities.Snapshot(),
        _ => Table.DescribedHosts(),
    }];

    void IKeySink.Listed(KeyRange range, KeyValue entry)
    {
        if (EtcdEntry.Apply(Table, entry) is { } address) _before!.Remove(address);
    }

    void IKeySink.ListEnds(KeyRange range, long revision)
    {
        foreach (Address gone in _before!) EtcdEntry.Remove(Table, range.Name, gone);
        _before = null;
        if (range.Name == LocationKeys.AddressPrefix) State.Learnt();
    }

    void IKeySink.Put(KeyRange range, KeyValue entry)
    {
        // A value that cannot be read is no location: not the old one either.
        if (EtcdEntry.Apply(Table, entry) is null) EtcdEntry.Remove(Table, entry);
        State.Revision = entry.mod_revision;
    }

    void IKeySink.Deleted(KeyRange range, KeyValue entry)
    {
        EtcdEntry.Remove(Table, entry);
        State.Revision = entry.mod_revision;
    }

    void IKeySink.Current(Uri endpoint, long revision) => State.Current(endpoint.Authority, revision);

    void IKeySink.Outage(string reason, long lastHeard) => State.Outage(reason, lastHeard);
}
