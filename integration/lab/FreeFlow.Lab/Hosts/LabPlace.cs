using System;
using System.IO;
using System.Linq;
using System.Net;

namespace FreeFlow.Lab.Hosts;

/// <summary>A host, a container or etcd's place: namespaces held by a first process whose pid stands in a file, so that any program can find it.</summary>
public class LabPlace : NetworkPlace
{
    internal LabPlace(string name, string folder) : base(name) => Folder = folder;

    /// <summary>Its own folder in the laboratory's, as the machine sees it: logs and state.</summary>
    public string Folder { get; }

    /// <inheritdoc/>
    public override int NamespacePid => LifeFile.Living(StateFile) is var pid and > 0 ? pid : throw new LabException($"{Name} is not running: freeflow lab start {Name.Split('/')[0]}.");

    /// <summary>True while its first process lives.</summary>
    public bool IsRunning => LifeFile.Living(StateFile) > 0;

    /// <summary>Pid, outside, of the daemon; 0 when it does not run.</summary>
    public int DaemonPid(string daemon)
    {
        if (LifeFile.Living(StateFile) is not (var first and > 0)) return 0;
        string mark = Mark(daemon);
        return ProcessTree.Members(first).Skip(1).FirstOrDefault(pid => Environment(pid).Split('\0').Contains(mark));
    }

    /// <summary>What the daemon has written so far, in all its lives.</summary>
    public string Log(string daemon) => File.Exists(LogFile(daemon)) ? File.ReadAllText(LogFile(daemon)) : "";

    /// <summary>Path of the daemon's log.</summary>
    public string LogFile(string daemon) => Path.Combine(Folder, daemon + ".log");

    /// <summary>Signals a daemon and waits for its end if the signal is one that ends it.</summary>
    public void Signal(string daemon, int signal)
    {
        int pid = DaemonPid(daemon);
        if (pid == 0) throw new LabException($"{daemon} does not run on {Name}.");
        long started = ProcessTree.StartTime(pid);
        _ = Native.kill(pid, signal);
        if (signal is not (Native.SIGKILL or Native.SIGTERM)) return;
        if (!Waiting.Until(() => ProcessTree.StartTime(pid) != started, TimeSpan.FromSeconds(10))) throw new LabException($"{daemon} on {Name} does not end.");
    }

    /// <summary>Waits until a daemon that has just been started is ready, or has ended.</summary>
    internal void Ready(string daemon, Func<bool> condition)
    {
        // In the middle of its execve a process has no environment to be known by: once is not enough.
        int missed = 0;
        if (Waiting.Until(() => condition() || (missed = DaemonPid(daemon) == 0 ? missed + 1 : 0) == 10, TimeSpan.FromSeconds(15)) && missed < 10) return;
        throw new LabException($"{daemon} did not come up on {Name}: {Log(daemon).Trim()}");
    }

    /// <summary>Follows from the IPv4 address: a host that comes back is found under the address that its neighbours remember.</summary>
    internal string HardwareAddress => "02:00:" + string.Join(':', IPAddress.Parse(Address4).GetAddressBytes().Select(part => $"{part:x2}"));

    internal string StateFile => Path.Combine(Folder, "first");

    /// <summary>Makes its namespaces, below the process <paramref name="parent"/>.</summary>
    internal void Begin(int parent, string script, string runFolder, bool hasRouter = false)
    {
        Directory.CreateDirectory(Folder);
        File.Delete(StateFile);
        File.Delete(StateFile + ".failed");
        string log = Path.Combine(Folder, "first.log");
        LabShell.Run(["nsenter", "-t", $"{parent}", "-p", "--"], LabScripts.Begin, $"starting {Name}", log, script, StateFile, runFolder, Name.Replace('/', '-'), hasRouter ? "rw" : "ro");
        if (Waiting.Until(() => File.Exists(StateFile) || File.Exists(StateFile + ".failed"), TimeSpan.FromSeconds(15)) && File.Exists(StateFile)) return;
        throw new LabException($"{Name} did not come up: {File.ReadAllText(log).Trim()}");
    }

    /// <summary>Starts a daemon here; the caller waits for whatever shows that it is ready.</summary>
    internal void StartDaemon(string daemon, params string[] command)
    {
        if (DaemonPid(daemon) != 0) throw new LabException($"{daemon} runs on {Name} already.");
        if (Path.IsPathRooted(command[0]) && !File.Exists(command[0])) throw new LabException($"{command[0]} is missing: run 'make build'.");
        // The mark is in the shell's environment already, so that the daemon has it from its first moment on.
        LabShell.Run([.. Entry, "env", "-u", "LD_PRELOAD", Mark(daemon)], LabScripts.Daemon, $"starting {daemon} on {Name}", [LogFile(daemon), .. command]);
    }

    private static string Mark(string daemon) => $"FREEFLOW_LAB_DAEMON={daemon}";

    private static string Environment(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/environ");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return ""; // it has ended meanwhile
        }
    }
}
