using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;

namespace FreeFlow.Lab;

/// <summary>
/// Two containers joined by a bridge that stands in a namespace of its own, so that nothing appears on the machine's own network.
/// Needs root. Disposing takes everything down; so does the end of this program (<see cref="LabCleanup"/>).
/// </summary>
public sealed class ContainerPair : IDisposable
{
    private readonly LabProcess? _switch;
    private readonly Stream? _switchLife;
    private readonly List<RouterProcess> _routers = [];
    private readonly object _takedown = new();
    private bool _disposed;

    private ContainerPair()
    {
        LabCleanup.SweepDeadRuns();
        Folder = LabCleanup.NewFolder();
        SocketFolder = Directory.CreateDirectory(Path.Combine(Folder, "run")).FullName;
        LabCleanup.Register(this);
        try
        {
            _switch = new LabProcess(["unshare", "--net", "sh", "-c", "ip link add br0 type bridge && ip link set br0 up && echo ready && read -r end"], "the bridge", nested: false);
            _switchLife = _switch.Input;
            _switch.WaitForOutput("ready", TimeSpan.FromSeconds(15));
            First = new Container("first", SocketFolder) { Address4 = "10.77.0.1", Address6 = "fd77::1" };
            Second = new Container("second", SocketFolder) { Address4 = "10.77.0.2", Address6 = "fd77::2" };
            Attach(First, "port1");
            Attach(Second, "port2");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>By custom the servers' side.</summary>
    public Container First { get; } = null!;

    /// <summary>By custom the clients' side.</summary>
    public Container Second { get; } = null!;

    /// <summary>Folder on the machine, seen by both containers under the same name, for the run's files; goes with the pair.</summary>
    public string Folder { get; }

    /// <summary>The folder that both containers see as /run/freeflow.</summary>
    public string SocketFolder { get; }

    /// <summary>The router's socket as the machine sees it.</summary>
    public string SocketPath => Path.Combine(SocketFolder, "router.sock");

    /// <summary>True once Ctrl-C or SIGTERM is taking every pair down: errors that follow are its consequence, and the program is about to end.</summary>
    public static bool Interrupted => LabCleanup.Interrupted;

    /// <summary>Brings the pair up; about a tenth of a second.</summary>
    public static ContainerPair Start()
    {
        if (!Environment.IsPrivilegedProcess) throw new LabException("Network namespaces need root: run this as root (sudo make …).");
        return new ContainerPair();
    }

    /// <summary>Starts a router on <see cref="SocketPath"/> and waits until it answers.</summary>
    /// <param name="arguments">More arguments for freeflow-router.</param>
    public RouterProcess StartRouter(params string[] arguments)
    {
        RouterProcess router;
        lock (_takedown) // so that an interruption never misses it
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            router = new RouterProcess(SocketPath, Folder, arguments);
            _routers.Add(router);
        }
        router.WaitUntilReady();
        return router;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // A second caller waits until the first is done: after Ctrl-C that is the main thread, about to end the program.
        lock (_takedown)
        {
            if (_disposed) return;
            _disposed = true;
            foreach (RouterProcess router in _routers) router.Dispose();
            First?.Dispose();
            Second?.Dispose();
            _switchLife?.Dispose();
            _switch?.Kill();
            _switch?.Dispose();
            LabCleanup.Unregister(this);
            LabCleanup.DeleteFolder(Folder);
        }
    }

    private void Attach(Container container, string port)
    {
        string pid = container.NamespacePid.ToString(CultureInfo.InvariantCulture);
        string script = $"""
            set -e
            ip link add {port} type veth peer name eth0 netns {pid}
            ip link set {port} master br0 up
            nsenter -t {pid} -n sh -ec '
            ip addr add {container.Address4}/24 dev eth0
            ip -6 addr add {container.Address6}/64 dev eth0 nodad
            ip link set eth0 up'
            """;
        using LabProcess process = new(["nsenter", "-t", _switch!.Pid.ToString(CultureInfo.InvariantCulture), "-n", "sh", "-c", script], "the cable", nested: false);
        _ = process.Wait(TimeSpan.FromSeconds(15)).Succeeded($"connecting {container.Name} to the bridge");
    }
}
