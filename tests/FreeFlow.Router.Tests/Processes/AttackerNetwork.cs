using System;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>What any user can make without privilege: a user namespace with a network namespace in it that has the victims' addresses.</summary>
internal sealed class AttackerNetwork : IDisposable
{
    private readonly TestProcess _process;

    public AttackerNetwork()
    {
        string script = $"ip link set lo up && ip addr add {VictimNetwork.AddressA}/32 dev lo && ip addr add {VictimNetwork.AddressB}/32 dev lo && echo ready && exec sleep 600";
        _process = new TestProcess("setpriv", $"--reuid={Place.Nobody}", $"--regid={Place.Nobody}", "--clear-groups", "unshare", "-Urn", "sh", "-c", script);
        if (!_process.WaitFor("ready")) throw new InvalidOperationException($"no user namespace: {_process.Output}");
    }

    public string Path => $"/proc/{_process.Process.Id}/ns/net";

    public void Dispose() => _process.Dispose();
}
