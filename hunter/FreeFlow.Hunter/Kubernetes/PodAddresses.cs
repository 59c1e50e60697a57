using System.Collections.Generic;
using System.Linq;
using FreeFlow.Hunter.Sources;
using FreeFlow.Locations;

namespace FreeFlow.Hunter.Kubernetes;

/// <summary>Which addresses the pods have. An address belongs to the pod that was seen with it last: it may be given to a new pod while the old one is still listed.</summary>
internal sealed class PodAddresses(IAddressSource source, IAddressSink sink, Address host, bool allNodes)
{
    private readonly Dictionary<string, Address[]> _byPod = [];
    private readonly Dictionary<Address, string> _owners = [];

    /// <summary>These and no others.</summary>
    public void Replace(List<Resource> pods)
    {
        HashSet<string> present = [.. pods.Select(Key)];
        foreach (string gone in _byPod.Keys.Where(key => !present.Contains(key)).ToArray()) Set(gone, [], default);
        foreach (Resource pod in pods) Take(pod, gone: false);
    }

    /// <summary>One pod has changed.</summary>
    public void Take(Resource pod, bool gone)
    {
        // A pod that has ended keeps its addresses on paper, and the network gives them to others. One in the host's network has the host's.
        bool has = !gone && pod.Spec?.HostNetwork != true && pod.Status?.Phase is not ("Succeeded" or "Failed");
        List<Address> addresses = [];
        if (has)
        {
            foreach (string? text in (pod.Status?.PodIPs?.Select(ip => ip.IP) ?? []).Append(pod.Status?.PodIP))
            {
                if (Address.TryParse(text, out Address address) && !addresses.Contains(address)) addresses.Add(address);
            }
        }
        Address livesOn = host;
        if (allNodes && !Address.TryParse(pod.Status?.HostIP, out livesOn)) addresses.Clear();
        // A pod that the API shows without labels has none.
        Set(Key(pod), [.. addresses], new(livesOn, new(pod.Metadata.Namespace, pod.Metadata.Name, pod.Metadata.Labels ?? [])));
    }

    private static string Key(Resource pod) => pod.Metadata.Uid ?? $"{pod.Metadata.Namespace}/{pod.Metadata.Name}";

    private void Set(string pod, Address[] addresses, Finding finding)
    {
        foreach (Address before in _byPod.GetValueOrDefault(pod) ?? [])
        {
            if (addresses.Contains(before) || _owners.GetValueOrDefault(before) != pod) continue;
            _owners.Remove(before);
            sink.Remove(source, before);
        }
        foreach (Address address in addresses)
        {
            _owners[address] = pod;
            sink.Set(source, address, finding);
        }
        if (addresses.Length == 0) _byPod.Remove(pod); else _byPod[pod] = addresses;
    }
}
