using System;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>What a container's root with CAP_NET_ADMIN can make of its own network namespace, which belongs to the host's user namespace: one that has both victims' addresses on lo.</summary>
internal sealed class ForgedNetwork : IDisposable
{
    private static int _number;
    private readonly string _name = $"fff{Environment.ProcessId}x{++_number}";

    public ForgedNetwork()
    {
        VictimNetwork.Ip($"netns add {_name}");
        VictimNetwork.Ip($"-n {_name} link set lo up");
        VictimNetwork.Ip($"-n {_name} addr add {VictimNetwork.AddressA}/32 dev lo");
        VictimNetwork.Ip($"-n {_name} addr add {VictimNetwork.AddressB}/32 dev lo");
        VictimNetwork.Ip($"-n {_name} addr add {VictimNetwork.SixA}/128 dev lo");
        VictimNetwork.Ip($"-n {_name} addr add {VictimNetwork.SixB}/128 dev lo");
    }

    public string Path => $"/run/netns/{_name}";

    public void Dispose() => VictimNetwork.Ip($"netns del {_name}");
}
