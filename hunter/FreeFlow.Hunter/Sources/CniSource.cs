using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Locations;
using FreeFlow.Locations.Identities;

namespace FreeFlow.Hunter.Sources;

/// <summary>What CNI plugins have given out on this host: libcni keeps each result in /var/lib/cni/results until the container is deleted
/// (github.com/containernetworking/cni, libcni/api.go). Needs no privilege but to read the folder. After a crash of the host old results may remain:
/// with root, "netns" is the better source.</summary>
internal sealed class CniSource(string folder, Action<string> log) : IAddressSource
{
    public const string DefaultFolder = "/var/lib/cni/results";
    private string? _said;

    public async Task RunAsync(IAddressSink sink, CancellationToken stop)
    {
        KnownAddresses known = new(this);
        // A folder changes with each container and a picture is cheap: looking once a second needs no inotify, which would miss a folder that is made later.
        using PeriodicTimer timer = new(TimeSpan.FromSeconds(1));
        try
        {
            do
            {
                if (Read() is { } picture) known.Replace(sink, picture);
            }
            while (await timer.WaitForNextTickAsync(stop).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private Dictionary<Address, Finding>? Read()
    {
        Dictionary<Address, Finding> picture = [];
        try
        {
            foreach (string file in Directory.EnumerateFiles(folder)) ReadResult(file, picture);
            Say(null);
            return picture;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // No CNI here yet, which is a picture too; or one that cannot be seen, which is none.
            Say(exception.Message);
            return exception is DirectoryNotFoundException ? picture : null;
        }
    }

    private static void ReadResult(string file, Dictionary<Address, Finding> picture)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            JsonElement root = document.RootElement;
            Identity? who = ReadPod(root);
            // The cache wraps the result since libcni 0.8; before, the file was the result.
            if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("result", out JsonElement inner)) root = inner;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("ips", out JsonElement ips) || ips.ValueKind != JsonValueKind.Array) return;
            foreach (JsonElement ip in ips.EnumerateArray())
            {
                if (ip.ValueKind != JsonValueKind.Object || !ip.TryGetProperty("address", out JsonElement text) || text.ValueKind != JsonValueKind.String) continue;
                if (Address.TryParse(text.GetString()!.Split('/')[0], out Address address)) picture[address] = new(default, who);
            }
        }
        catch (Exception exception) when (exception is JsonException or FileNotFoundException)
        {
            // Being written, or deleted just now: the next look will see.
        }
    }

    // What the container runtime has told the plugins: ["K8S_POD_NAMESPACE", "web"] and the like. Labels are not among it.
    private static Identity? ReadPod(JsonElement cache)
    {
        if (cache.ValueKind != JsonValueKind.Object || !cache.TryGetProperty("cniArgs", out JsonElement arguments) || arguments.ValueKind != JsonValueKind.Array) return null;
        string? space = null, name = null;
        foreach (JsonElement pair in arguments.EnumerateArray())
        {
            if (pair.ValueKind != JsonValueKind.Array || pair.GetArrayLength() != 2 || pair[0].ValueKind != JsonValueKind.String || pair[1].ValueKind != JsonValueKind.String) continue;
            if (pair[0].ValueEquals("K8S_POD_NAMESPACE")) space = pair[1].GetString();
            else if (pair[0].ValueEquals("K8S_POD_NAME")) name = pair[1].GetString();
        }
        return space is null && name is null ? null : new(space, name, null);
    }

    private void Say(string? problem)
    {
        if (problem == _said) return;
        if (problem is not null) log($"{folder}: {problem}");
        _said = problem;
    }
}
