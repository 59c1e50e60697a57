using System.Linq;
using System.Text.Json;
using FreeFlow.Locations;
using FreeFlow.Locations.Publishing;
using FreeFlow.Router.Cluster;
using FreeFlow.Router.Fabric.Links;
using FreeFlow.Router.Sessions;

namespace FreeFlow.Router.Observe;

/// <summary>What the status says about the other hosts; for those only who may see everything.</summary>
internal static class ClusterReport
{
    /// <summary>Writes "cluster":{"host":…,"locations":{…},"published":{…}}.</summary>
    public static void Write(Utf8JsonWriter json, ClusterMembership cluster, RemoteBroker? remote)
    {
        LocationView view = cluster.Locations.View;
        json.WriteStartObject("cluster");
        json.WriteString("host", cluster.Host == default ? "" : cluster.Host.ToString());
        json.WriteStartObject("locations");
        json.WriteString("source", view.Source);
        json.WriteString("state", view.State switch { LocationState.None => "none", LocationState.Starting => "starting", LocationState.Current => "current", _ => "stale" });
        json.WriteNumber("age_s", view.Age.TotalSeconds);
        json.WriteNumber("addresses", view.Addresses);
        json.WriteNumber("hosts", view.Hosts);
        json.WriteNumber("identities", view.Identities);
        json.WriteNumber("revision", view.Revision);
        json.WriteString("detail", view.Detail ?? "");
        json.WriteEndObject();
        if (cluster.Published is { } published)
        {
            json.WriteStartObject("published");
            json.WriteNumber("held", published.Held);
            json.WriteNumber("lost", published.Lost);
            json.WriteNumber("waiting", published.Waiting);
            json.WriteString("problem", published.Problem ?? "");
            json.WriteEndObject();
        }
        if (remote is not null) WriteFabric(json, remote);
        json.WriteEndObject();
    }

    private static void WriteFabric(Utf8JsonWriter json, RemoteBroker remote)
    {
        json.WriteStartObject("fabric");
        json.WriteNumber("joined", remote.Joined);
        json.WriteNumber("bytes_sent", remote.EarlierBytes.Sent + remote.Links.Sum(link => link.BytesSent));
        json.WriteNumber("bytes_received", remote.EarlierBytes.Received + remote.Links.Sum(link => link.BytesReceived));
        json.WriteStartArray("links");
        foreach (IFabricLink link in remote.Links)
        {
            json.WriteStartObject();
            json.WriteString("host", link.Host.ToString());
            json.WriteNumber("streams", link.Streams);
            json.WriteNumber("bytes_sent", link.BytesSent);
            json.WriteNumber("bytes_received", link.BytesReceived);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
