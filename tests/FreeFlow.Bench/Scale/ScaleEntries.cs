using System.Collections.Generic;
using System.Linq;

namespace FreeFlow.Bench.Scale;

/// <summary>What the hunters of 1,000 hosts would publish (docs/etcd.md): pods of 2,000 deployments in 100 namespaces, with the labels that Kubernetes and people give them.</summary>
internal static class ScaleEntries
{
    private const int Deployments = 2000, Namespaces = 100;

    internal static IEnumerable<(string Key, string Value)> Addresses(int count) => Enumerable.Range(0, count).Select(Address);

    internal static IEnumerable<(string Key, string Value)> Identities(int count) => Enumerable.Range(0, count).Select(Identity);

    internal static (string Key, string Value) Address(int i) => ($"Microsoft/FreeFlow/{VirtualIp(i)}", Host(i));

    internal static (string Key, string Value) Identity(int i)
    {
        int deployment = i % Deployments;
        string app = $"app-{deployment}", hash = $"{(uint)deployment * 2654435761:x8}";
        return ($"FreeFlow/v1/identities/{VirtualIp(i)}",
            $$$"""{"host":"{{{Host(i)}}}","namespace":"team-{{{deployment % Namespaces}}}","name":"{{{app}}}-{{{hash}}}-{{{i:x5}}}","labels":{"app":"{{{app}}}","pod-template-hash":"{{{hash}}}","tier":"{{{(deployment % 3 == 0 ? "back" : "front")}}}"}}""");
    }

    private static string VirtualIp(int i) => $"10.{i >> 16}.{(i >> 8) & 255}.{i & 255}";

    private static string Host(int i) => $"192.168.{i % 1000 / 250}.{(i % 250) + 1}";
}
