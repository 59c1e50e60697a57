using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Hunter.Sources;
using FreeFlow.Locations;

namespace FreeFlow.Hunter.Kubernetes;

/// <summary>The pods that the Kubernetes API says are on this node; with --all-nodes, on every node, and the nodes' names.</summary>
internal sealed class KubernetesSource(KubernetesAccess access, HunterOptions options, Address host, Action<string> log) : IAddressSource
{
    public async Task RunAsync(IAddressSink sink, CancellationToken stop)
    {
        using KubernetesClient client = new(access);
        PodAddresses pods = new(this, sink, host, options.AllNodes);
        string path = options.Namespace is null ? "api/v1/pods" : $"api/v1/namespaces/{Uri.EscapeDataString(options.Namespace)}/pods";
        string query = options.AllNodes ? "" : $"fieldSelector={Uri.EscapeDataString($"spec.nodeName={options.NodeName}")}";
        ResourceFollower follower = new(client, path, query, options.AllNodes ? "pods" : $"pods of {options.NodeName}", log);
        Task nodes = options.AllNodes ? FollowNodesAsync(client, sink, stop) : Task.CompletedTask;
        await follower.RunAsync(list =>
        {
            pods.Replace(list);
            sink.Complete(this);
        }, pods.Take, stop).ConfigureAwait(false);
        await nodes.ConfigureAwait(false);
    }

    private Task FollowNodesAsync(KubernetesClient client, IAddressSink sink, CancellationToken stop)
    {
        Dictionary<string, Address> known = [];
        void Take(Resource node, bool gone)
        {
            string name = node.Metadata.Name ?? "";
            NodeAddress[] addresses = gone ? [] : node.Status?.Addresses ?? [];
            string? hostName = addresses.FirstOrDefault(entry => entry.Type == "Hostname")?.Address ?? name;
            _ = Address.TryParse(addresses.FirstOrDefault(entry => entry.Type == "InternalIP")?.Address, out Address address);
            if (known.Remove(name, out Address before) && before != address) sink.SetNode(before, null);
            if (address == default) return;
            known[name] = address;
            sink.SetNode(address, hostName);
        }
        return new ResourceFollower(client, "api/v1/nodes", "", "nodes", log).RunAsync(list =>
        {
            foreach (string gone in known.Keys.Except(list.Select(node => node.Metadata.Name ?? "")).ToArray()) Take(new() { Metadata = new() { Name = gone } }, gone: true);
            foreach (Resource node in list) Take(node, gone: false);
        }, Take, stop);
    }
}
