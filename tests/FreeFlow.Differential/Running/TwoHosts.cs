using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using FreeFlow.Lab;

namespace FreeFlow.Differential.Running;

/// <summary>
/// A host for process A and one for process B: network namespaces with a router in each, joined by one cable for the programs (the overlay) and one for the routers. So
/// each end of a connection between the two has a ring of its own, and the routers mirror them (docs/fabric.md).
/// </summary>
public sealed class TwoHosts : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("freeflow-differential.").FullName;
    private readonly Process[] _hosts = new Process[2], _routers = new Process[2];

    private readonly bool _mayBorrow;

    /// <summary>Brings it up; needs root.</summary>
    /// <param name="mayBorrow">Whether routers may borrow their programs' sockets, to stand in for them (docs/fabric.md).</param>
    public TwoHosts(bool mayBorrow = true)
    {
        _mayBorrow = mayBorrow;
        if (!Artifacts.Complete) throw new LabException("FreeFlow is not built: run 'make build'.");
        if (!System.Environment.IsPrivilegedProcess) throw new LabException("Network namespaces need root.");
        File.WriteAllText(Path.Combine(_folder, "locations"), $"{Four(0)} {Under(0)}\n{Six(0)} {Under(0)}\n{Four(1)} {Under(1)}\n{Six(1)} {Under(1)}\n");
        for (int host = 0; host < 2; host++) _hosts[host] = StartHost();
        foreach ((string cable, Func<int, string[]> addresses) in new (string, Func<int, string[]>)[] { ("overlay", host => [Four(host) + "/16", Six(host) + "/64"]), ("under", host => [Under(host) + "/24"]) })
        {
            Run($"ip link add {cable} netns {_hosts[0].Id} type veth peer name {cable} netns {_hosts[1].Id}");
            for (int host = 0; host < 2; host++)
            {
                foreach (string address in addresses(host)) Run($"nsenter --net={Namespace(host)} ip address add {address} dev {cable}{(address.Contains(':') ? " nodad" : "")}");
                Run($"nsenter --net={Namespace(host)} ip link set {cable} up");
            }
        }
        for (int host = 0; host < 2; host++) _routers[host] = StartRouter(host);
    }

    /// <summary>Where a process lives, as native/crew.c reads it: network namespace, addresses, more environment.</summary>
    public string Of(int process) => $"{Namespace(process)} {Four(process)} {Six(process)} FREEFLOW_SOCKET={Socket(process)}";

    /// <summary>SIGKILL for a host's router, and a new one at once: every connection between the two has lost its way.</summary>
    public void Lose(int host)
    {
        lock (_routers)
        {
            End(_routers[host]);
            _routers[host] = StartRouter(host);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Process process in _routers) End(process);
        foreach (Process process in _hosts) End(process);
        Directory.Delete(_folder, recursive: true);
    }

    private static string Four(int host) => $"10.88.{host + 1}.1";

    private static string Six(int host) => $"fd88::{host + 1}:1";

    private static string Under(int host) => $"192.168.88.{host + 1}";

    private string Namespace(int host) => string.Create(CultureInfo.InvariantCulture, $"/proc/{_hosts[host].Id}/ns/net");

    private string Socket(int host) => Path.Combine(_folder, $"router-{host}.sock");

    /// <summary>It ends with this program, whose end closes its input.</summary>
    private static Process StartHost()
    {
        Process process = Start("unshare --net sh -c", true, "ip link set lo up && echo up && read -r end");
        if (process.StandardOutput.ReadLine() != "up") throw new LabException("a network namespace could not be made.");
        return process;
    }

    private Process StartRouter(int host)
    {
        File.Delete(Socket(host));
        Process process = Start($"nsenter --net={Namespace(host)}{(_mayBorrow ? "" : " setpriv --bounding-set -sys_ptrace")} {Artifacts.Router} --socket {Socket(host)} --locations file:{_folder}/locations --host {Under(host)} --insecure-fabric", false);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!Waiting.Until(() => File.Exists(Socket(host)), TimeSpan.FromSeconds(10))) throw new LabException("freeflow-router did not come up.");
        return process;
    }

    private static void Run(string command)
    {
        using Process process = Start(command, false);
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new LabException($"{command}: {error}");
    }

    private static Process Start(string command, bool lives, params string[] more)
    {
        string[] words = command.Split(' ');
        ProcessStartInfo start = new(words[0], [.. words[1..], .. more]) { RedirectStandardOutput = true, RedirectStandardError = !lives, RedirectStandardInput = lives };
        return Process.Start(start) ?? throw new LabException($"{command} did not start.");
    }

    private static void End(Process? process)
    {
        if (process is null) return;
        process.Kill();
        process.WaitForExit();
        process.Dispose();
    }
}
