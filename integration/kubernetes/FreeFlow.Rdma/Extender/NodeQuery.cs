using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Net.Http;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Rdma.Hardware;

namespace FreeFlow.Rdma.Extender;

/// <summary>Asks the hardware daemon of a node, at one of the node's addresses. Safe for use by several threads.</summary>
internal sealed class NodeQuery(HttpClient client, int port)
{
    /// <summary>More than any node has to say, in bytes.</summary>
    internal const int LargestAnswer = 1 << 20;

    /// <summary>
    /// The node's cards, or nothing where no address answers in time, or what answers is no hardware daemon. All addresses are asked at
    /// once, so that one that is silent takes no time from the others; the first of them in the node's order counts.
    /// </summary>
    internal async Task<PhysicalFunction[]?> AskAsync(JsonNode node, CancellationToken patience)
    {
        foreach (Task<PhysicalFunction[]?> asking in AddressesOf(node).Select(address => AskAsync(address, patience)).ToArray())
            if (await asking is { } cards) return cards;
        return null;
    }

    private async Task<PhysicalFunction[]?> AskAsync(string address, CancellationToken patience)
    {
        try
        {
            string host = address.Contains(':', StringComparison.Ordinal) ? $"[{address}]" : address;
            byte[] answer = await client.GetByteArrayAsync(new Uri(string.Create(CultureInfo.InvariantCulture,
                $"http://{host}:{port}/getpfs")), patience);
            PhysicalFunction[] cards = JsonSerializer.Deserialize(answer, HardwareJson.Default.PhysicalFunctionArray) ?? [];
            return Array.TrueForAll(cards, card => card is not null) ? cards : null;
        }
        catch (Exception exception) when (exception is HttpRequestException or JsonException or UriFormatException or OperationCanceledException)
        {
            return null;
        }
    }

    private static IEnumerable<string> AddressesOf(JsonNode node)
    {
        if (node["status"]?["addresses"] is not JsonArray addresses) yield break;
        foreach (JsonNode? address in addresses)
            if (address is JsonObject && address["type"] is JsonValue type && type.TryGetValue(out string? kind)
                && kind is "InternalIP" or "InternalDNS"
                && address["address"] is JsonValue value && value.TryGetValue(out string? text)) yield return text;
    }
}
