using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;

namespace FreeFlow.Lab;

/// <summary>
/// Takes pairs and laboratories down when this program ends by Ctrl-C, SIGTERM, SIGHUP or normally, and clears what a killed run could not: its folder, and its router
/// (containers end by themselves). A folder's name carries its owner's pid and start time, so that a living run is never touched.
/// </summary>
internal static class LabCleanup
{
    private const string Prefix = "freeflow-lab.";
    private static readonly string[] s_hierarchies = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"];
    private static int s_count;
    private static readonly List<IDisposable> s_worlds = [];
    private static readonly List<PosixSignalRegistration> s_signals = [];

    /// <summary>True once a signal has begun to take everything down.</summary>
    internal static volatile bool Interrupted;

    internal static string NewFolder()
    {
        int number = Interlocked.Increment(ref s_count);
        string name = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Environment.ProcessId}.{ProcessTree.StartTime(Environment.ProcessId)}.{number}");
        DirectoryInfo folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), name));
        // Other users (postgres, nobody) must be able to pass through to their own folders and to the socket.
        if (OperatingSystem.IsLinux()) folder.UnixFileMode = (UnixFileMode)Convert.ToInt32("755", 8);
        return folder.FullName;
    }

    internal static void Register(IDisposable world)
    {
        lock (s_worlds)
        {
            s_worlds.Add(world);
            if (s_signals.Count > 0) return;
            AppDomain.CurrentDomain.ProcessExit += (_, _) => DisposeAll();
            foreach (PosixSignal signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP })
            {
                s_signals.Add(PosixSignalRegistration.Create(signal, context =>
                {
                    context.Cancel = true;
                    Interrupted = true;
                    DisposeAll();
                    Environment.Exit(signal == PosixSignal.SIGINT ? 130 : 143);
                }));
            }
        }
    }

    internal static void Unregister(IDisposable world)
    {
        lock (s_worlds) _ = s_worlds.Remove(world);
    }

    internal static void SweepDeadRuns()
    {
        foreach (string folder in Directory.EnumerateDirectories(Path.GetTempPath(), Prefix + "*"))
        {
            string[] parts = Path.GetFileName(folder).Split('.');
            if (parts.Length != 4 || !int.TryParse(parts[1], out int owner) || !long.TryParse(parts[2], out long started)) continue;
            if (ProcessTree.StartTime(owner) == started) continue;
            foreach (string record in Directory.EnumerateFiles(folder, "router.*.pid")) KillRecorded(record);
            DeleteFolder(folder);
        }
    }

    /// <summary>Notes a process that would outlive a killed run.</summary>
    internal static void Record(string folder, int pid) =>
        File.WriteAllText(Path.Combine(folder, $"router.{pid}.pid"), string.Create(CultureInfo.InvariantCulture, $"{pid} {ProcessTree.StartTime(pid)}"));

    internal static void DeleteFolder(string folder)
    {
        try
        {
            // A group can be removed only a moment after its last process has gone.
            foreach (string hierarchy in s_hierarchies) _ = Waiting.Until(() => DeleteGroups(Path.Combine(hierarchy, Path.GetFileName(folder))), TimeSpan.FromSeconds(5));
            Directory.Delete(folder, recursive: true);
        }
        catch (IOException)
        {
            // a process of the run may still be writing there; the next run sweeps it
        }
    }

    // A machine that booted has groups of its own, which stay when their processes end; their files go with them, so they are removed from the leaves on.
    private static bool DeleteGroups(string group)
    {
        if (!Directory.Exists(group)) return true;
        foreach (string child in Directory.GetDirectories(group)) _ = DeleteGroups(child);
        return Native.rmdir(group) == 0;
    }

    private static void KillRecorded(string record)
    {
        string[] fields = File.ReadAllText(record).Split(' ');
        if (fields.Length == 2 && int.TryParse(fields[0], out int pid) && long.TryParse(fields[1], out long started) && started != 0 && ProcessTree.StartTime(pid) == started)
        {
            _ = Native.kill(pid, Native.SIGKILL);
        }
    }

    private static void DisposeAll()
    {
        IDisposable[] worlds;
        lock (s_worlds) worlds = s_worlds.ToArray();
        foreach (IDisposable world in worlds) world.Dispose();
    }
}
