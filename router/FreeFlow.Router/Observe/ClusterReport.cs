using System.Text.Json;
using FreeFlow.Locations;
using FreeFlow.Locations.Publishing;
using FreeFlow.Router.Cluster;

namespace FreeFlow.Router.Observe;

/// <summary>What the status says about the other hosts; for those only who may see everything.</summary>
internal static class ClusterReport
{
    /// <summary>Writes "cluster":{"host":…,"locations":{…},"published":{…}}.</summary>
    public static void Write(Utf8JsonWriter json, ClusterMembership cluster)
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
        json.WriteEndObject();
    }
}
