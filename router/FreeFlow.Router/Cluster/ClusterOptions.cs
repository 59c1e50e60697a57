using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using FreeFlow.Locations;
using FreeFlow.Locations.Etcd;
using FreeFlow.Router.Fabric;

namespace FreeFlow.Router.Cluster;

/// <summary>What the router's options say about the other hosts.</summary>
internal sealed record ClusterOptions
{
    /// <summary>The option that takes no value.</summary>
    public const string InsecureFabric = "--insecure-fabric";

    private static readonly string[] FabricFiles = ["--fabric-ca", "--fabric-cert", "--fabric-key"];

    /// <summary>Where locations are learnt.</summary>
    public LocationSource Source { get; init; }

    /// <summary>The file of <see cref="LocationSource.File"/>.</summary>
    public string Path { get; init; } = "";

    /// <summary>How to reach etcd.</summary>
    public EtcdOptions Etcd { get; init; } = new();

    /// <summary>This host's address; default: to be found out.</summary>
    public Address Host { get; init; }

    /// <summary>TCP port of the fabric.</summary>
    public int FabricPort { get; init; } = FabricOptions.DefaultPort;

    /// <inheritdoc cref="FabricOptions.Congestion"/>
    public string? FabricCongestion { get; init; }

    /// <summary>The three PEM files of <see cref="FabricFiles"/>, or null.</summary>
    public string[]? FabricCertificates { get; init; }

    /// <summary>True: the fabric works without certificates.</summary>
    public bool IsFabricInsecure { get; init; }

    /// <summary>True if routers of other hosts may be called, and call.</summary>
    public bool HasFabric => IsFabricInsecure || FabricCertificates is not null;

    /// <summary>Makes sense of what was given; throws <see cref="RouterException"/> with one line about what is wrong.</summary>
    public static ClusterOptions Read(IReadOnlyDictionary<string, string> given, Func<string, string?> environment)
    {
        string? Value(string name, string? variable = null) => given.TryGetValue(name, out string? value) ? value : variable is not null && environment(variable) is { Length: > 0 } text ? text : null;

        string source = Value("--locations", "FREEFLOW_LOCATIONS") ?? "none";
        int colon = source.IndexOf(':', StringComparison.Ordinal);
        string? rest = colon < 0 ? null : source[(colon + 1)..];
        ClusterOptions options = (colon < 0 ? source : source[..colon], rest) switch
        {
            ("none", null) => new(),
            ("file", { Length: > 0 } path) => new() { Source = LocationSource.File, Path = path },
            ("etcd", null or { Length: > 0 }) => new() { Source = LocationSource.Etcd },
            ("etcd-used", null or { Length: > 0 }) => new() { Source = LocationSource.EtcdUsed },
            _ => throw new RouterException($"--locations {source}: give none, file:PATH, etcd:URL or etcd-used:URL."),
        };
        try
        {
            if (options.Source is LocationSource.Etcd or LocationSource.EtcdUsed) options = options with { Etcd = EtcdSettings.Read(rest, name => Value("--etcd-" + name), environment, "--etcd-") };
        }
        catch (Exception exception) when (exception is FormatException or IOException or UnauthorizedAccessException)
        {
            throw new RouterException(exception.Message);
        }
        if (Value("--host", "HOST_IP") is { } host) options = options with { Host = Address.TryParse(host, out Address address) && !address.IsOfNoPlace ? address : throw new RouterException($"--host {host}: give this host's address.") };
        if (Value("--fabric-port") is { } port) options = options with { FabricPort = int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number is > 0 and < 65536 ? number : throw new RouterException($"--fabric-port {port}: give 1 to 65535.") };
        if (Value("--fabric-congestion") is { } congestion) options = options with { FabricCongestion = congestion };
        string[] files = [.. FabricFiles.Where(given.ContainsKey)];
        bool insecure = given.ContainsKey(InsecureFabric);
        if (insecure && files.Length > 0) throw new RouterException($"{InsecureFabric} and {files[0]}: give certificates, or none.");
        if (files.Length is > 0 and < 3) throw new RouterException($"{files[0]}: --fabric-ca, --fabric-cert and --fabric-key belong together.");
        return options with { IsFabricInsecure = insecure, FabricCertificates = files.Length == 0 ? null : [.. FabricFiles.Select(name => given[name])] };
    }
}
