using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Locations;
using FreeFlow.Metrics;
using FreeFlow.Router.Cluster;
using FreeFlow.Router.Fabric.Links;
using FreeFlow.Router.Policy;
using FreeFlow.Router.Sessions;
using Prometheus;

namespace FreeFlow.Router.Observe.Metrics;

/// <summary>
/// The router's figures for Prometheus. What belongs to the event loop is looked at by the event loop, a bounded part at a time; records are the
/// processes' own word, so that every label has one of a few values, and a total that a process makes smaller stays as it was.
/// </summary>
internal sealed class RouterMetrics : IMetricsSource
{
    private const int FamiliesAtATime = 16, RecordsAtATime = 256;

    /// <summary>Of what a file or a cluster names: the rest is left out, and counted.</summary>
    private const int MostNames = 256;

    private readonly Func<IReadOnlyCollection<Family>> _families;
    private readonly Func<Action, Task> _ask;
    private readonly Statistics _statistics;
    private readonly Broker _broker;
    private readonly ClusterMembership _cluster;
    private readonly RouterOptions _options;
    private readonly UserAccount _own = new(Native.Libc.geteuid());
    private readonly ConnectionRecord[] _records = new ConnectionRecord[RecordsAtATime];
    private readonly Dictionary<(ConnectionState State, Reason Reason), double> _connections = [];
    private long _ringBytes, _strictlyRefused;

    private readonly Gauge _sessions, _familiesOpen, _byState, _liveBytes, _limits, _links, _linkStreams, _hosts, _addresses, _identities, _age, _current, _revision;
    private readonly Gauge _published, _verbsObjects, _longestHold, _left;
    private readonly Counter _joins, _fabricJoins, _refusals, _strict, _ring, _fabric, _verbsBytes, _decisions, _faults, _pauses, _holds;

    /// <param name="registry">Where the metrics are made.</param>
    /// <param name="families">The event loop's.</param>
    /// <param name="ask">Has the event loop do something; done when that is done.</param>
    /// <param name="statistics">The event loop's.</param>
    /// <param name="broker">The event loop's.</param>
    /// <param name="cluster">Thread-safe.</param>
    /// <param name="options">The limits.</param>
    public RouterMetrics(
        MetricsRegistry registry, Func<IReadOnlyCollection<Family>> families, Func<Action, Task> ask, Statistics statistics, Broker broker,
        ClusterMembership cluster, RouterOptions options)
    {
        (_families, _ask, _statistics, _broker, _cluster, _options) = (families, ask, statistics, broker, cluster, options);
        _sessions = registry.Gauge("freeflow_sessions", "Processes that are connected to the router.");
        _familiesOpen = registry.Gauge("freeflow_families", "Process families (a process and what it forks) that are connected.");
        _byState = registry.Gauge("freeflow_connections", "TCP connections of connected processes, by the way of their bytes and the reason why they are not further.", "state", "reason");
        _liveBytes = registry.Gauge("freeflow_open_connection_bytes", "Bytes that the connections of now have carried.", "path", "direction");
        _joins = registry.Counter("freeflow_joins_total", "Times that two ends of a connection, or one end and another host, were given a ring.");
        _fabricJoins = registry.Counter("freeflow_fabric_joins_total", "Connections whose other end was found on another host.");
        _refusals = registry.Counter("freeflow_refusals_total", "Connections that the router has left to the kernel, by reason.", "reason");
        _strict = registry.Counter("freeflow_strict_refusals_total", "Connections that FREEFLOW_STRICT has refused.");
        _ring = registry.Counter("freeflow_ring_sent_bytes_total", "Bytes that programs of this host have sent into rings, to this host and others.");
        _fabric = registry.Counter("freeflow_fabric_bytes_total", "Bytes of connections that links to other hosts have carried.", "direction");
        _links = registry.Gauge("freeflow_fabric_links", "Links to other hosts' routers that are up.");
        _linkStreams = registry.Gauge("freeflow_fabric_link_streams", "Connections that a link carries.", "host");
        _current = registry.Gauge("freeflow_locations_current", "1 if the router's view of where addresses live is current, 0 if it is not; absent on a single host.", "source");
        _age = registry.Gauge("freeflow_locations_age_seconds", "How long ago the view was current.", "source");
        _revision = registry.Gauge("freeflow_locations_revision", "etcd's revision of the view, or how often the file was read.", "source");
        _addresses = registry.Gauge("freeflow_locations_addresses", "Addresses with a host.", "source");
        _hosts = registry.Gauge("freeflow_locations_hosts", "Hosts that are named in the view.", "source");
        _identities = registry.Gauge("freeflow_locations_identities", "Addresses of which is known who has them.", "source");
        _published = registry.Gauge("freeflow_published_entries", "This router's own entries in etcd, by what has become of them.", "state");
        _decisions = registry.Counter("freeflow_policy_decisions_total", "Connections that a rule of the policy has decided about.", "rule", "over");
        _limits = registry.Gauge("freeflow_limit_used_ratio", "Part of a limit that the user who has used most of it has used.", "limit");
        _verbsObjects = registry.Gauge("freeflow_verbs_objects", "Verbs objects of connected processes.", "kind");
        _verbsBytes = registry.Counter("freeflow_verbs_bytes_total", "Bytes between queue pairs of this host, by processes' own word.", "kind");
        _faults = registry.Counter("freeflow_router_faults_total", "Exceptions that the router has survived: each is a defect, or memory was short.");
        _pauses = registry.Counter("freeflow_router_pauses_total", "Times that a session was not read for a while because too much of what it had sent had to be closed.");
        _holds = registry.Counter("freeflow_router_holds_total", "Times that one event has held the event loop for more than 50 ms.");
        _longestHold = registry.Gauge("freeflow_router_longest_hold_seconds", "The longest of them.");
        _left = registry.Gauge("freeflow_metrics_left_out", "Rules and hosts that are not shown, because there are too many.");
    }

    /// <inheritdoc/>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        Family[] families = [];
        _connections.Clear();
        (double Kernel, double Ring) sent = default, received = default;
        await _ask(() =>
        {
            families = [.. _families()];
            LookAtTotals();
        }).ConfigureAwait(false);
        foreach (Family[] some in families.Chunk(FamiliesAtATime))
        {
            List<Family> held = [];
            cancellationToken.ThrowIfCancellationRequested();
            // One that goes meanwhile has told its figures, and is counted with the next answer.
            await _ask(() =>
            {
                foreach (Family family in some.Where(family => family.Sessions.Count > 0))
                {
                    family.Retain();
                    held.Add(family);
                }
            }).ConfigureAwait(false);
            try { foreach (Family family in held) Read(family, ref sent, ref received); }
            finally { foreach (Family family in held) family.Release(_own); }
        }
        _ring.IncTo(_ringBytes);
        _strict.IncTo(_strictlyRefused);
        MetricsRegistry.Replace(_byState, _connections.ToDictionary(pair => new[] { LabelOf(pair.Key.State), LabelOf(pair.Key.Reason) }, pair => pair.Value));
        foreach ((string direction, (double kernel, double ring)) in (ReadOnlySpan<(string, (double, double))>)[("sent", sent), ("received", received)])
        {
            _liveBytes.WithLabels("kernel", direction).Set(kernel);
            _liveBytes.WithLabels("ring", direction).Set(ring);
        }
        Locations(_cluster.Locations.View);
        if (_cluster.Published is { } published)
        {
            _published.WithLabels("held").Set(published.Held);
            _published.WithLabels("lost").Set(published.Lost);
            _published.WithLabels("waiting").Set(published.Waiting);
        }
    }

    /// <summary>The event loop.</summary>
    private void LookAtTotals()
    {
        // Before any family is looked at: what one that goes meanwhile has carried is not counted twice.
        (_ringBytes, _strictlyRefused) = (_statistics.RingBytes, _statistics.StrictlyRefused);
        _joins.IncTo(_statistics.Joined);
        _faults.IncTo(_statistics.Faults);
        _pauses.IncTo(_statistics.Pauses);
        _holds.IncTo(_statistics.Holds.Count);
        _longestHold.Set(_statistics.Holds.LongestMilliseconds / 1000.0);
        foreach ((Reason reason, long count) in _statistics.Refused) _refusals.WithLabels(LabelOf(reason)).IncTo(count);
        IReadOnlyCollection<Family> families = _families();
        _familiesOpen.Set(families.Count);
        _sessions.Set(families.Sum(family => family.Sessions.Count));
        Limits([.. families.SelectMany(family => family.Sessions).Select(session => session.Account).Distinct()]);
        _verbsObjects.WithLabels("queue_pair").Set(_broker.Verbs.QueuePairs.Count());
        _verbsObjects.WithLabels("region").Set(_broker.Verbs.Clients.Sum(client => client.Regions.Count));
        _verbsObjects.WithLabels("client").Set(_broker.Verbs.Clients.Count());
        _verbsBytes.WithLabels("message").IncTo(_broker.Verbs.Total.MessageBytes);
        _verbsBytes.WithLabels("remote").IncTo(_broker.Verbs.Total.RemoteBytes);
        PolicyRule[] rules = [.. _broker.Policy.Rules];
        MetricsRegistry.RemoveOthers(_decisions, labels => rules.Any(rule => rule.Name == labels[0]));
        foreach (PolicyRule rule in rules.TakeLast(MostNames)) _decisions.WithLabels(rule.Name, rule.Over.ToString()).IncTo(rule.Decided);
        int left = Math.Max(0, rules.Length - MostNames);
        if (_broker.Remote is { } remote) left += LookAt(remote);
        _left.Set(left);
    }

    /// <summary>How many links are left out.</summary>
    private int LookAt(RemoteBroker remote)
    {
        IFabricLink[] links = [.. remote.Links];
        _fabricJoins.IncTo(remote.Joined);
        _links.Set(links.Length);
        _fabric.WithLabels("sent").IncTo(remote.EarlierBytes.Sent + links.Sum(link => link.BytesSent));
        _fabric.WithLabels("received").IncTo(remote.EarlierBytes.Received + links.Sum(link => link.BytesReceived));
        Dictionary<string[], double> streams = [];
        foreach (IGrouping<string, IFabricLink> host in links.GroupBy(link => link.Host.ToString()).Take(MostNames))
            streams[[host.Key]] = host.Sum(link => link.Streams);
        MetricsRegistry.Replace(_linkStreams, streams);
        return Math.Max(0, links.Length - MostNames);
    }

    private void Limits(UserAccount[] accounts)
    {
        Most("sessions", account => account.Sessions, _options.MaximumSessionsPerUser);
        Most("connections", account => account.Connections, _options.MaximumConnectionsPerUser);
        Most("rings", account => account.Rings, _options.MaximumRingsPerUser);
        Most("ring_bytes", account => account.RingBytes, _options.MaximumRingBytesPerUser);

        void Most(string limit, Func<UserAccount, ulong> used, ulong most) =>
            _limits.WithLabels(limit).Set(accounts.Length == 0 ? 0 : accounts.Max(used) / (double)Math.Max(1, most));
    }

    private void Locations(LocationView view)
    {
        if (view.State == LocationState.None) return;
        // Without a path: that is a label for as long as the router runs.
        string source = view.Source.Split(' ')[0];
        _current.WithLabels(source).Set(view.State == LocationState.Current ? 1 : 0);
        _age.WithLabels(source).Set(view.Age.TotalSeconds);
        _revision.WithLabels(source).Set(view.Revision);
        _addresses.WithLabels(source).Set(view.Addresses);
        _hosts.WithLabels(source).Set(view.Hosts);
        _identities.WithLabels(source).Set(view.Identities);
    }

    private void Read(Family family, ref (double Kernel, double Ring) sent, ref (double Kernel, double Ring) received)
    {
        _ringBytes = Statistics.Sum(_ringBytes, family.RingBytes);
        _strictlyRefused = Statistics.Sum(_strictlyRefused, family.StrictlyRefused);
        uint used = family.RecordsUsed;
        for (uint first = 0; first < used; first += RecordsAtATime)
        {
            int count = family.ReadRecords(first, _records.AsSpan(0, (int)Math.Min(RecordsAtATime, used - first)));
            foreach (ref readonly ConnectionRecord record in _records.AsSpan(0, count))
            {
                ConnectionState state = (ConnectionState)record.State;
                if (state is ConnectionState.Free or ConnectionState.Closed) continue;
                (ConnectionState, Reason) key = (Enum.IsDefined(state) ? state : ConnectionState.Free, Enum.IsDefined((Reason)record.Reason) ? (Reason)record.Reason : (Reason)uint.MaxValue);
                _connections[key] = _connections.GetValueOrDefault(key) + 1;
                sent = (sent.Kernel + record.KernelSent, sent.Ring + record.EarlierSent + record.SendTail);
                received = (received.Kernel + record.KernelReceived, received.Ring + record.EarlierReceived + record.ReceiveHead);
            }
        }
    }

    /// <summary>A few words, whatever a record says.</summary>
    private static string LabelOf(ConnectionState state) => state switch
    {
        ConnectionState.Kernel => "kernel",
        ConnectionState.Offered => "offered",
        ConnectionState.Joined => "joined",
        ConnectionState.RingSharedMemory => "ring_shm",
        ConnectionState.RingRdma => "ring_rdma",
        ConnectionState.RingFabric => "ring_fabric",
        ConnectionState.HandedBack => "handed_back",
        _ => "unknown",
    };

    /// <summary>The status's reason_code.</summary>
    private static string LabelOf(Reason reason) => Enum.IsDefined(reason) ? reason.ToString() : "unknown";
}
