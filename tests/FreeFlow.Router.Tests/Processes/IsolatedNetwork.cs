using System;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>A network namespace with a loopback interface and what <paramref name="setup"/> does there. Gone on Dispose, unless a socket keeps it.</summary>
internal sealed class IsolatedNetwork : IDisposable
{
    private readonly TestProcess _process;

    public IsolatedNetwork(string setup = "true")
    {
        _process = new TestProcess("unshare", "-n", "sh", "-c", $"ip link set lo up && {setup} && echo ready && exec sleep 600");
        if (!_process.WaitFor("ready")) throw new InvalidOperationException($"no network namespace: {_process.Output}");
    }

    public string Path => $"/proc/{_process.Process.Id}/ns/net";

    public void Dispose() => _process.Dispose();
}
