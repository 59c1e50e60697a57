using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Linq;
using FreeFlow.Arguments;
using FreeFlow.Metrics;

namespace FreeFlow.Hunter;

/// <summary>How the command line of freeflow-hunter is written.</summary>
internal sealed class HunterSyntax : ProgramCommand
{
    private readonly ValueOption<string>[] _values =
    [
        Value(
            "--source", "LIST", "where virtual IPs are found: kubernetes, netns (network namespaces of this host), " +
            "cni (/var/lib/cni/results), file:PATH; several with commas. Default: kubernetes in a pod or with --kubeconfig, else netns"),
        Value(
            "--host-ip", "ADDRESS", "this node's address, the value that is published; default $HOST_IP, else the address that reaches etcd"),
        Value("--node-name", "NAME", "default $NODE_NAME, else the host's name"),
        Value("--prefix", "LIST", "networks whose addresses are published; default $VNET_PREFIX, else all"),
        Value("--endpoints", "LIST", "etcd's URLs; default $ETCD_ENDPOINTS or http://127.0.0.1:2379"),
        Value("--cacert", "FILE", "etcd's authority"),
        Value("--cert", "FILE", "our certificate for etcd"),
        Value("--key", "FILE", "its key"),
        Value("--user", "NAME", "for a cluster with authentication; default $ETCDCTL_USER (name:password)"),
        Value("--password-file", "FILE", "that user's password"),
        Value("--lease-seconds", "N", "a dead node's entries vanish after this; default 10"),
        Value("--kubeconfig", "FILE", "how to reach Kubernetes; default: the pod's service account"),
        Value("--namespace", "NAME", "pods of this namespace only; default all"),
        // OptionFile puts the options of the file in its place.
        Value("--config", "FILE", "more options, one a line without dashes, the value behind it"),
    ];

    private readonly FlagOption _withdraw = new(
        "--withdraw", "take the entries back when the hunter is stopped; default: they stay until the lease ends, for the next hunter to take " +
        "over");
    private readonly FlagOption _allNodes = new("--all-nodes", "pods of every node, not only this one's");

    private readonly ValueOption<MetricsAddress> _metrics = new(
        "--metrics", "ADDRESS:PORT|unix:PATH", "where to serve metrics to Prometheus, at /metrics; default nowhere", MetricsAddress.Parse);

    public HunterSyntax() : base(
        "freeflow-hunter", "Finds this node's virtual IPs and publishes them in etcd, under a lease: they vanish with the node.")
    {
        foreach (Option option in (Option[])[.. _values, _withdraw, _allNodes, _metrics]) Options.Add(option);
        AddCommonOptions();
    }

    /// <summary>Options took one dash with k8s-freeflow's hunter.</summary>
    public string[] WithTwoDashes(string[] arguments) =>
        [.. arguments.Select(word => Options.Any(option => $"-{word.Split('=')[0]}" == option.Name) ? $"-{word}" : word)];

    /// <summary>Makes sense of what was given; throws <see cref="HunterException"/> with one line.</summary>
    public HunterOptions Read(ParseResult read, Func<string, string?> environment)
    {
        HunterOptions options = HunterOptions.Read(
            _values.Where(option => read.GetResult(option) is not null)
                .ToDictionary(option => option.Name[2..], option => read.GetRequiredValue(option)),
            read.GetValue(_withdraw), read.GetValue(_allNodes), environment);
        return options with { Metrics = read.GetValue(_metrics) };
    }

    private static ValueOption<string> Value(string name, string value, string description) => new(name, value, description, text => text);
}
