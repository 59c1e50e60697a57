using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Rdma.Placement;

namespace FreeFlow.Rdma.Extender;

/// <summary>The scheduler's ExtenderArgs, as far as the extender looks at them. Nodes stay as they came: all of each goes back.</summary>
internal sealed class ExtenderArguments
{
    private ExtenderArguments(string request, IReadOnlyList<JsonNode>? nodes, JsonArray? names)
    {
        Request = request;
        HasNodes = nodes is not null;
        Nodes = nodes ?? [];
        Names = names;
        NodeNames = nodes is null ? [.. (names ?? []).Select(name => name?.GetValue<string>() ?? "")]
            : [.. nodes.Select(node => TextAt(node, "metadata", "name"))];
    }

    /// <summary>The pod's annotation; empty where it has none.</summary>
    internal string Request { get; }

    /// <summary>Whether the scheduler has sent whole nodes; otherwise their names only (nodeCacheCapable).</summary>
    internal bool HasNodes { get; }
    internal IReadOnlyList<JsonNode> Nodes { get; }
    internal IReadOnlyList<string> NodeNames { get; }
    internal JsonArray? Names { get; }

    /// <exception cref="JsonException">The body is no JSON.</exception>
    /// <exception cref="FormatException">The body is JSON, but no ExtenderArgs.</exception>
    internal static async Task<ExtenderArguments> ReadAsync(Stream body, CancellationToken cancellation)
    {
        JsonNode? arguments = await JsonNode.ParseAsync(body, cancellationToken: cancellation);
        try
        {
            JsonNode pod = Member(arguments, "Pod") ?? throw new FormatException("the arguments have no pod.");
            JsonArray? items = Member(arguments, "Nodes")?["items"] as JsonArray;
            IReadOnlyList<JsonNode>? nodes = items is null ? null : [.. items
                .Select(node => node as JsonObject ?? throw new FormatException("a node is no object."))];
            return new ExtenderArguments(TextAt(pod, "metadata", "annotations", PodRequest.Annotation), nodes,
                Member(arguments, "NodeNames") as JsonArray);
        }
        catch (InvalidOperationException)
        {
            throw new FormatException("the arguments are no ExtenderArgs.");
        }
    }

    // Old schedulers write the names small.
    private static JsonNode? Member(JsonNode? arguments, string name)
    {
        if (arguments is not JsonObject members) throw new FormatException("the arguments are no object.");
        return members.FirstOrDefault(member => member.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
    }

    private static string TextAt(JsonNode? node, params ReadOnlySpan<string> path)
    {
        foreach (string name in path) node = node?[name];
        return node?.GetValue<string>() ?? "";
    }
}
