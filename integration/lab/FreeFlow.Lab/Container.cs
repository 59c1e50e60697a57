using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace FreeFlow.Lab;

/// <summary>
/// A "container": its own network, mount, pid, IPC and host-name namespaces, one address of each family on <c>eth0</c>, and of the outside only the
/// router's socket folder, bound read-only to /run/freeflow (with /run and /dev/shm its own; programs and /tmp come from the machine).
/// </summary>
/// <remarks>
/// It lives as long as its first process, a shell that waits for the end of its standard input. When this program ends, in whatever way, the kernel
/// closes that input, the shell ends, and with it every process and namespace of the container.
/// </remarks>
public sealed class Container : NetworkPlace, IDisposable
{
    private readonly LabProcess _first;
    private readonly Stream _life;
    private readonly List<LabProcess> _processes = [];

    internal Container(string name, string hostSocketFolder) : base(name)
    {
        // Many short connections one after the other would else run out of ports (tcp_tw_reuse, ip_local_port_range: ip(7), tcp(7)).
        string script = $"""
            set -e
            mount -t tmpfs tmpfs /run
            mount -t tmpfs tmpfs /dev/shm
            mkdir -m 1777 /run/lock /run/postgresql
            mkdir /run/freeflow
            mount --bind "$1" /run/freeflow
            mount -o remount,bind,ro /run/freeflow
            hostname "$2" 2>/dev/null || true
            ip link set lo up
            echo 10000 65535 > /proc/sys/net/ipv4/ip_local_port_range
            echo 1 > /proc/sys/net/ipv4/tcp_tw_reuse
            echo ready
            read -r end || true
            """;
        string[] arguments = ["unshare", "--net", "--mount", "--pid", "--ipc", "--uts", "--fork", "--mount-proc", "sh", "-c", script, "sh", hostSocketFolder, name];
        _first = new LabProcess(arguments, $"container {name}", nested: true);
        _life = _first.Input;
        _first.WaitForOutput("ready", TimeSpan.FromSeconds(15));
    }

    /// <inheritdoc/>
    public override int NamespacePid => _first.Pid;

    /// <inheritdoc/>
    public void Dispose()
    {
        LabProcess[] processes;
        lock (_processes) processes = _processes.ToArray();
        foreach (LabProcess process in processes) process.Kill();
        try
        {
            _life.Dispose();
        }
        catch (IOException)
        {
            // the first process has already ended
        }
        _ = Waiting.Until(() => _first.HasExited, TimeSpan.FromSeconds(3));
        _first.Kill();
        foreach (LabProcess process in processes) process.Dispose();
        _first.Dispose();
    }

    internal override void Started(LabProcess process)
    {
        lock (_processes)
        {
            _ = _processes.RemoveAll(old => old.HasExited);
            _processes.Add(process);
        }
    }
}
