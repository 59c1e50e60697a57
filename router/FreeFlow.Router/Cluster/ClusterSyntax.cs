using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Linq;
using FreeFlow.Arguments;

namespace FreeFlow.Router.Cluster;

/// <summary>How the router's options about the other hosts are written.</summary>
internal sealed class ClusterSyntax
{
    private readonly ValueOption<string>[] _values =
    [
        Value(
            "--locations", "SOURCE", "which host a virtual IP lives on: none (one host), file:PATH, etcd:URL[,URL...], " +
            "etcd-used:URL[,URL...] (only those that are used, beyond 1,000 hosts); default $FREEFLOW_LOCATIONS or none; etcd alone: $ETCD_ENDPOINTS"),
        Value("--etcd-cacert", "FILE", "etcd's authority"),
        Value("--etcd-cert", "FILE", "our certificate for etcd"),
        Value("--etcd-key", "FILE", "its key"),
        Value("--etcd-user", "NAME", "for a cluster with authentication; default $ETCDCTL_USER (name:password)"),
        Value("--etcd-password-file", "FILE", "that user's password"),
        Value("--host", "ADDRESS", "this host as the others see it; default $HOST_IP, else the address that reaches etcd"),
        Value("--fabric-port", "N", "TCP port for the other routers; default 4799"),
        Value(
            "--fabric-congestion", "NAME", "TCP's congestion control between the routers; default: the host's own, except that CUBIC takes " +
            "BBR's place where a round trip is shorter than a millisecond"),
        Value(
            "--fabric-ca", "FILE", "who signs the routers' certificates; without it and the next two connections between hosts stay on the overlay"),
        Value("--fabric-cert", "FILE", "our certificate (PEM), which names --host"),
        Value("--fabric-key", "FILE", "its key"),
    ];

    private readonly FlagOption _insecure = new(
        ClusterOptions.InsecureFabric, "no certificates: a router is whoever calls from its address; for laboratories");

    public IEnumerable<Option> Options => [.. _values, _insecure];

    /// <summary>Makes sense of what was given; throws <see cref="RouterException"/> with one line about what is wrong.</summary>
    public ClusterOptions Read(ParseResult read)
    {
        Dictionary<string, string> given = _values.Where(option => read.GetResult(option) is not null)
            .ToDictionary(option => option.Name, option => read.GetRequiredValue(option));
        if (read.GetValue(_insecure)) given[_insecure.Name] = "";
        return ClusterOptions.Read(given, Environment.GetEnvironmentVariable);
    }

    private static ValueOption<string> Value(string name, string value, string description) => new(name, value, description, text => text);
}
