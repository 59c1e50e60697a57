using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using FreeFlow.Arguments;
using FreeFlow.Locations;
using FreeFlow.Locations.Etcd;
using FreeFlow.Metrics;

namespace FreeFlow.Hunter;

/// <summary>What the command line of freeflow-hunter says. Options take one dash or two: k8s-freeflow's had one.</summary>
internal sealed record HunterOptions
{
    public IReadOnlyList<string> Sources { get; init; } = [];
    public Address HostAddress { get; init; }
    public string NodeName { get; init; } = Dns.GetHostName();
    public IReadOnlyList<Cidr> Prefixes { get; init; } = [];
    public EtcdOptions Etcd { get; init; } = new();
    public int LeaseSeconds { get; init; } = 10;
    public bool Withdraw { get; init; }
    public string? KubeConfig { get; init; }
    public string? Namespace { get; init; }
    public bool AllNodes { get; init; }
    public MetricsAddress? Metrics { get; init; }

    /// <summary>Reads arguments and environment; throws <see cref="HunterException"/> with one line about the first that is wrong.</summary>
    public static HunterOptions Parse(string[] arguments, Func<string, string?> environment)
    {
        HunterSyntax syntax = new();
        try
        {
            return syntax.Read(CommandLineReader.Read(syntax, syntax.WithTwoDashes(arguments)), environment);
        }
        catch (UsageException exception)
        {
            throw new HunterException(exception.Message);
        }
    }

    /// <summary>Makes sense of what was given.</summary>
    /// <param name="given">Values by the names of their options, without dashes.</param>
    /// <param name="withdraw">Whether --withdraw was given.</param>
    /// <param name="allNodes">Whether --all-nodes was given.</param>
    /// <param name="environment">Variables.</param>
    internal static HunterOptions Read(IReadOnlyDictionary<string, string> given, bool withdraw, bool allNodes, Func<string, string?> environment)
    {
        string? Value(string name, string? variable) =>
            given.TryGetValue(name, out string? value) ? value : variable is not null && environment(variable) is { Length: > 0 } text ? text : null;

        HunterOptions options = new()
        {
            Withdraw = withdraw,
            AllNodes = allNodes,
            KubeConfig = Value("kubeconfig", null),
            Namespace = Value("namespace", null) is { Length: > 0 } name ? name : null,
        };
        string? sources = Value("source", null) ?? (options.KubeConfig is not null || environment("KUBERNETES_SERVICE_HOST") is { Length: > 0 } ? "kubernetes" : "netns");
        options = options with
        {
            Sources = [.. sources.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Source)],
            NodeName = Value("node-name", "NODE_NAME") ?? options.NodeName,
            Prefixes = [.. (Value("prefix", "VNET_PREFIX") ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Prefix)],
            LeaseSeconds = Seconds(Value("lease-seconds", null) ?? "10"),
            Etcd = ReadEtcd(Value, environment),
        };
        if (Value("host-ip", "HOST_IP") is { } host) options = options with { HostAddress = Address.TryParse(host, out Address address) && !address.IsOfNoPlace ? address : throw new HunterException($"--host-ip {host}: give this node's address.") };
        return options;
    }

    private static EtcdOptions ReadEtcd(Func<string, string?, string?> value, Func<string, string?> environment)
    {
        try
        {
            return EtcdSettings.Read(value("endpoints", null), name => value(name, null), environment, "--");
        }
        catch (Exception exception) when (exception is FormatException or IOException or UnauthorizedAccessException)
        {
            throw new HunterException(exception.Message);
        }
    }

    private static string Source(string word) =>
        word is "kubernetes" or "netns" or "cni" || word.StartsWith("file:", StringComparison.Ordinal) && word.Length > 5
            ? word
            : throw new HunterException($"--source {word}: give kubernetes, netns, cni or file:PATH.");

    private static Cidr Prefix(string word) => Cidr.TryParse(word.Trim(), out Cidr cidr) ? cidr : throw new HunterException($"--prefix {word}: give networks such as 10.0.0.0/8.");

    private static int Seconds(string word) =>
        int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds) && seconds is >= 2 and <= 3600 ? seconds : throw new HunterException($"--lease-seconds {word}: give 2 to 3600.");
}
