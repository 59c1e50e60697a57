using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Rdma.Hardware;
using FreeFlow.Rdma.Placement;

namespace FreeFlow.Rdma.Extender;

/// <summary>
/// Answers the scheduler's ExtenderArgs: which nodes have the RDMA interfaces that a pod asks for, and which have the most left
/// (Kubernetes scheduler extender, v1). Safe for use by several threads.
/// </summary>
/// <param name="query">How a node is asked.</param>
/// <param name="patience">What all nodes of a request together have to answer: the scheduler waits no longer for many than for one.</param>
internal sealed class SchedulerExtender(NodeQuery query, TimeSpan patience)
{
    internal const string NotEnough = "RDMA Scheduler Extension: Node did not have enough free RDMA resources.";
    internal const string Unknown = "RDMA Scheduler Extension: Unable to collect information on available RDMA resources for node.";
    internal const string Malformatted = "RDMA Scheduler Extension: 'rdma_interfaces_required' field in pod YAML file is malformatted.";

    /// <summary>The highest score that the scheduler takes of an extender.</summary>
    internal const int HighestScore = 10;

    /// <summary>Sorts the nodes into those that can take the pod and those that cannot, with the reason. Writes an
    /// ExtenderFilterResult.</summary>
    internal async Task FilterAsync(Stream body, Utf8JsonWriter output, CancellationToken cancellation)
    {
        ExtenderArguments arguments;
        try
        {
            arguments = await ExtenderArguments.ReadAsync(body, cancellation);
        }
        catch (Exception exception) when (exception is JsonException or FormatException)
        {
            WriteResult(output, null, null, null, exception.Message);
            return;
        }
        if (arguments.Request.Length == 0)
        {
            WriteResult(output, arguments.HasNodes ? arguments.Nodes : null, arguments.Names, [], "");
            return;
        }
        InterfaceRequest[] requests;
        try
        {
            requests = PodRequest.Parse(arguments.Request);
        }
        catch (JsonException)
        {
            WriteResult(output, [], null, [.. arguments.NodeNames.Select(name => (name, Malformatted))], "");
            return;
        }
        if (!arguments.HasNodes)
        {
            WriteResult(output, null, null, null, "the scheduler sends names of nodes only: this extender needs 'nodeCacheCapable: false'.");
            return;
        }
        PhysicalFunction[]?[] cards = await AskAsync(arguments.Nodes, cancellation);
        string?[] reasons = [.. cards.Select(node => node is null ? Unknown : Placer.Place(requests, node) is null ? NotEnough : null)];
        WriteResult(output, [.. arguments.Nodes.Where((_, index) => reasons[index] is null)], null,
            [.. arguments.NodeNames.Zip(reasons).Where(node => node.Second is not null).Select(node => (node.First, node.Second!))], "");
    }

    /// <summary>Gives each node a score from 0 to 10, the more the larger a part of its rates stays free with the pod. Writes a
    /// HostPriorityList.</summary>
    internal async Task PrioritizeAsync(Stream body, Utf8JsonWriter output, CancellationToken cancellation)
    {
        ExtenderArguments arguments = await ExtenderArguments.ReadAsync(body, cancellation);
        InterfaceRequest[] requests = arguments.Request.Length == 0 ? [] : PodRequest.Parse(arguments.Request);
        PhysicalFunction[]?[] cards = requests.Length == 0 || !arguments.HasNodes ? [] : await AskAsync(arguments.Nodes, cancellation);
        output.WriteStartArray();
        foreach ((string name, int index) in arguments.NodeNames.Select((name, index) => (name, index)))
        {
            output.WriteStartObject();
            output.WriteString("Host", name);
            output.WriteNumber("Score", index < cards.Length && cards[index] is { } node ? Score(node, requests) : 0);
            output.WriteEndObject();
        }
        output.WriteEndArray();
        await output.FlushAsync(cancellation);
    }

    private async Task<PhysicalFunction[]?[]> AskAsync(IReadOnlyList<JsonNode> nodes, CancellationToken cancellation)
    {
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        ending.CancelAfter(patience);
        return await Task.WhenAll(nodes.Select(node => query.AskAsync(node, ending.Token)));
    }

    private static int Score(PhysicalFunction[] cards, InterfaceRequest[] requests)
    {
        if (Placer.Place(requests, cards) is null) return 0;
        long capacity = cards.Sum(card => (long)card.CapacityTxRate);
        long free = capacity - cards.Sum(card => (long)card.UsedTxRate) - requests.Sum(request => (long)request.MinTxRate);
        return capacity == 0 ? 0 : (int)Math.Clamp(free * HighestScore / capacity, 0, HighestScore);
    }

    // Capital letters, as the scheduler's own types have them; it reads any case.
    private static void WriteResult(Utf8JsonWriter output, IReadOnlyList<JsonNode>? nodes, JsonNode? names,
        IReadOnlyList<(string Name, string Reason)>? failed, string error)
    {
        output.WriteStartObject();
        output.WritePropertyName("Nodes");
        if (nodes is null) output.WriteNullValue();
        else
        {
            output.WriteStartObject();
            output.WriteStartObject("metadata");
            output.WriteEndObject();
            output.WriteStartArray("items");
            foreach (JsonNode node in nodes) node.WriteTo(output);
            output.WriteEndArray();
            output.WriteEndObject();
        }
        output.WritePropertyName("NodeNames");
        if (names is null) output.WriteNullValue();
        else names.WriteTo(output);
        output.WritePropertyName("FailedNodes");
        if (failed is null) output.WriteNullValue();
        else
        {
            output.WriteStartObject();
            foreach ((string name, string reason) in failed) output.WriteString(name, reason);
            output.WriteEndObject();
        }
        output.WriteString("Error", error);
        output.WriteEndObject();
    }
}
