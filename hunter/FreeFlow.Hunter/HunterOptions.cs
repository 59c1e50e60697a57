using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using FreeFlow.Locations;
using FreeFlow.Locations.Etcd;

namespace FreeFlow.Hunter;

/// <summary>What the command line of freeflow-hunter says. Options take one dash or two: k8s-freeflow's had one.</summary>
internal sealed record HunterOptions
{
    public const string Usage = """
        Usage: freeflow-hunter [options]

        Finds this node's virtual IPs and publishes them in etcd, under a lease: they vanish with the node.

          --source LIST         where virtual IPs are found: kubernetes, netns (network namespaces of this host), cni (/var/lib/cni/results), file:PATH;
                                several with commas. Default: kubernetes in a pod or with --kubeconfig, else netns
          --host-ip ADDRESS     this node's address, the value that is published; default $HOST_IP, else the address that reaches etcd
          --node-name NAME      default $NODE_NAME, else the host's name
          --prefix LIST         networks whose addresses are published; default $VNET_PREFIX, else all

          --endpoints LIST      etcd's URLs; default $ETCD_ENDPOINTS or http://127.0.0.1:2379
          --cacert, --cert, --key FILE
                                etcd's authority; our certificate and its key
          --user NAME --password-file FILE
                                for a cluster with authentication; default $ETCDCTL_USER (name:password)
          --lease-seconds N     a dead node's entries vanish after this; default 10
          --withdraw            take the entries back when the hunter is stopped; default: they stay until the lease ends, for the next hunter to take over

          --kubeconfig FILE     how to reach Kubernetes; default: the pod's service account
          --namespace NAME      pods of this namespace only; default all
          --all-nodes           pods of every node, not only this one's

          --config FILE        more options, one a line without dashes, the value behind it
          --version, --help
        """;

    private static readonly string[] WithValue =
        ["source", "host-ip", "node-name", "prefix", "endpoints", "cacert", "cert", "key", "user", "password-file", "lease-seconds", "kubeconfig", "namespace"];

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

    /// <summary>Reads arguments and environment; throws <see cref="HunterException"/> with one line about the first that is wrong.</summary>
    public static HunterOptions Parse(ReadOnlySpan<string> arguments, Func<string, string?> environment)
    {
        Dictionary<string, string> given = Words(arguments, out bool withdraw, out bool allNodes);
        string? Value(string name, string? variable) => given.TryGetValue(name, out string? value) ? value : variable is not null && environment(variable) is { Length: > 0 } text ? text : null;

        HunterOptions options = new() { Withdraw = withdraw, AllNodes = allNodes, KubeConfig = Value("kubeconfig", null), Namespace = Value("namespace", null) is { Length: > 0 } name ? name : null };
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

    private static Dictionary<string, string> Words(ReadOnlySpan<string> arguments, out bool withdraw, out bool allNodes)
    {
        Dictionary<string, string> given = [];
        (withdraw, allNodes) = (false, false);
        for (int i = 0; i < arguments.Length; i++)
        {
            string name = arguments[i].StartsWith("--", StringComparison.Ordinal) ? arguments[i][2..] : arguments[i].StartsWith('-') ? arguments[i][1..] : "";
            if (name == "withdraw") { withdraw = true; continue; }
            if (name == "all-nodes") { allNodes = true; continue; }
            int equals = name.IndexOf('=', StringComparison.Ordinal);
            string? value = equals < 0 ? null : name[(equals + 1)..];
            if (equals >= 0) name = name[..equals];
            if (!WithValue.Contains(name)) throw new HunterException($"unknown option {arguments[i]}; freeflow-hunter --help lists them.");
            if (value is null && ++i == arguments.Length) throw new HunterException($"--{name} needs a value after it.");
            given[name] = value ?? arguments[i];
        }
        return given;
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
