using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using FreeFlow.Contract;
using FreeFlow.Router.Sessions;
using FreeFlow.Router.Verbs;

namespace FreeFlow.Router.Observe;

/// <summary>What the status says of verbs: totals, and of the processes that the asker may see, queue pairs and regions. Counters are the processes' own word.</summary>
internal static class VerbsReport
{
    /// <summary>Of each list, so that the event loop is not held up.</summary>
    private const int Most = 1024;

    /// <summary>Writes "verbs":{message_bytes_total, remote_bytes_total, connected_total, refused_total, queue_pairs:[...], regions:[...], identifiers:[...]}.</summary>
    public static void Write(Utf8JsonWriter json, VerbsBroker broker, Func<Session, bool> visible)
    {
        json.WriteStartObject("verbs");
        VerbsCounters total = broker.Total;
        json.WriteNumber("message_bytes_total", StatusReport.Counter(total.MessageBytes));
        json.WriteNumber("remote_bytes_total", StatusReport.Counter(total.RemoteBytes));
        json.WriteNumber("connected_total", StatusReport.Counter(broker.Connections.Connected));
        json.WriteNumber("refused_total", StatusReport.Counter(broker.Connections.Refused));
        json.WriteStartArray("queue_pairs");
        foreach (VerbsQueuePair pair in broker.QueuePairs.Where(pair => visible(pair.Client.Session)).Take(Most)) Write(json, pair);
        json.WriteEndArray();
        json.WriteStartArray("regions");
        foreach ((VerbsClient client, VerbsRegion region) in broker.Clients.Where(client => visible(client.Session)).SelectMany(client => client.Regions.Values.Select(region => (client, region))).Take(Most))
            Write(json, client, region);
        json.WriteEndArray();
        json.WriteStartArray("identifiers");
        foreach (CmIdentifier identifier in broker.Clients.Where(client => visible(client.Session)).SelectMany(client => client.Identifiers.Values).Take(Most)) Write(json, identifier);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, VerbsQueuePair pair)
    {
        VerbsCounters counters = pair.Counters;
        json.WriteStartObject();
        Write(json, pair.Client);
        json.WriteNumber("number", pair.Number);
        bool sends = pair.Outgoing.Count != 0, receives = pair.Incoming.Count != 0;
        json.WriteString("local", pair.Pair is null ? "" : pair.OwnGid.ToString());
        json.WriteString("remote", pair.Pair is null ? "" : pair.PeerGid.ToString());
        json.WriteNumber("peer", pair.PeerNumber);
        json.WriteString("way", pair.Peer is null && !sends && !receives ? "none" : "shared memory");
        json.WriteString("reason", pair.IsDatagram ? $"datagrams to {pair.Outgoing.Count}, from {pair.Incoming.Count}" : pair.Pair is null ? "not connected yet" : pair.Peer is not null ? "" : pair.IsLeft ? "the peer has gone" : "the peer has not named this queue pair on this host");
        json.WriteNumber("messages", StatusReport.Counter(counters.Messages));
        json.WriteNumber("message_bytes", StatusReport.Counter(counters.MessageBytes));
        json.WriteNumber("remote_operations", StatusReport.Counter(counters.RemoteOperations));
        json.WriteNumber("remote_bytes", StatusReport.Counter(counters.RemoteBytes));
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, VerbsClient client, VerbsRegion region)
    {
        json.WriteStartObject();
        Write(json, client);
        json.WriteNumber("bytes", StatusReport.Counter(region.Length));
        json.WriteNumber("whole_pages", StatusReport.Counter(region.Pages.Whole));
        json.WriteNumber("edge_pages", StatusReport.Counter(region.Pages.Edges));
        json.WriteString("way", region.Pages.Edges == 0 ? "mapped" : "mapped; edges for other users by the router");
        json.WriteBoolean("granted", region.WasGranted);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, CmIdentifier identifier)
    {
        json.WriteStartObject();
        Write(json, identifier.Client);
        json.WriteString("space", identifier.Space switch { VerbsProtocol.PortSpaceTcp => "TCP", VerbsProtocol.PortSpaceUdp => "UDP", VerbsProtocol.PortSpaceIb => "IB", _ => "IPOIB" });
        json.WriteString("local", identifier.HoldsPort || identifier.Own.Port != 0 ? identifier.Own.ToString() : "");
        json.WriteString("remote", identifier.Peer.Port != 0 ? identifier.Peer.ToString() : "");
        json.WriteString("state", identifier.State switch
        {
            CmState.AddressResolved or CmState.RouteResolved => "resolved",
            CmState.Accepted or CmState.Answered => "accepted",
            _ => identifier.State.ToString().ToLowerInvariant(),
        });
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, VerbsClient client)
    {
        json.WriteNumber("pid", client.Session.Peer.ProcessId);
        json.WriteString("program", client.Session.Program);
        json.WriteString("container", client.Session.Container);
    }
}
