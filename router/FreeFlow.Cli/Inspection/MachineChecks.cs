using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using FreeFlow.Native;

namespace FreeFlow.Cli.Inspection;

/// <summary>Kernel, limits, libraries, and the programs that run: what acceleration needs of the machine.</summary>
internal static class MachineChecks
{
    private const int UsefulDescriptors = 4096, UsefulMaps = 65530, MostPrograms = 8;

    /// <summary>The first kernel with SO_NETNS_COOKIE, by which the router tells network namespaces apart (socket(7)).</summary>
    private static readonly Version s_kernel = new(5, 14);

    public static IEnumerable<Finding> All() =>
        [Kernel(), Descriptors(), LockedMemory(), Maps(), .. Libraries(Path.GetDirectoryName(Environment.ProcessPath) ?? "/"), Rdma(), .. PlainPrograms()];

    private static Finding Kernel()
    {
        // As uname(2) tells it.
        Version version = Environment.OSVersion.Version;
        string release = version.ToString();
        return version >= s_kernel
            ? new(Severity.Good, "kernel", $"Linux {release}")
            : new(Severity.Problem, "kernel", $"Linux {release}", $"before {s_kernel} the kernel does not tell network namespaces apart: every connection stays in the kernel", $"install a kernel of {s_kernel} or later");
    }

    private static Finding Descriptors()
    {
        ulong most = Limit("Max open files");
        return most >= UsefulDescriptors
            ? new(Severity.Good, "descriptors", $"a program may open {Number(most)}")
            : new(Severity.Warning, "descriptors", $"a program may open {Number(most)} here", "each accelerated connection takes up to two more than the program's own; near the limit connections stay in the kernel (DescriptorLimit)",
                "ulimit -n 65536, or LimitNOFILE=65536 in its unit");
    }

    private static Finding LockedMemory()
    {
        ulong most = Limit("Max locked memory");
        return most >= 8 << 20
            ? new(Severity.Good, "memlock", most == ulong.MaxValue ? "memory may be locked without limit" : $"{Units.Bytes((long)Math.Min(most, long.MaxValue))} may be locked")
            : new(Severity.Note, "memlock", $"{Units.Bytes((long)most)} may be locked", "rings need none of it; programs for RDMA register memory, and with a real device may get ENOMEM",
                "for those: ulimit -l unlimited, or LimitMEMLOCK=infinity in its unit");
    }

    private static Finding Maps()
    {
        bool known = long.TryParse(Text("/proc/sys/vm/max_map_count"), NumberStyles.None, CultureInfo.InvariantCulture, out long most);
        return !known || most >= UsefulMaps
            ? new(Severity.Good, "maps", known ? $"a program may have {most} mappings" : "the limit of mappings is not shown here")
            : new(Severity.Warning, "maps", $"a program may have {most} mappings", "each ring is one: beyond, connections stay in the kernel (MemoryLimit)", $"sysctl vm.max_map_count={UsefulMaps}");
    }

    /// <summary>The preload libraries as <c>freeflow run</c> finds them.</summary>
    internal static IEnumerable<Finding> Libraries(string folder)
    {
        string installed = Path.GetFullPath(Path.Combine(folder, "..", "lib", "freeflow"));
        string? place = new[] { folder, installed }.FirstOrDefault(place => File.Exists(Path.Combine(place, "libfreeflow.so")));
        if (place is null)
        {
            yield return new(Severity.Problem, "library", $"libfreeflow.so is neither in {folder} nor in {installed}", "without it nothing is accelerated", "install the package again: apt-get install --reinstall freeflow");
            yield break;
        }
        foreach (string name in (string[])["libfreeflow.so", "libfreeflow-core.so"])
        {
            string path = Path.Combine(place, name);
            if (!File.Exists(path)) yield return new(Severity.Problem, "library", $"{path} is missing", "libfreeflow.so opens it with the first connection that is worth it: connections stay in the kernel", "install the package again: apt-get install --reinstall freeflow");
            else if (ProgramFileOf(path) is not { IsNative: true }) yield return new(Severity.Problem, "library", $"{path} is no library of this architecture", "the loader says so for each program, and runs it without", "install the package for amd64: apt-get install --reinstall freeflow");
            else if (SharedLibrary.Problem(path) is { } problem) yield return new(Severity.Problem, "library", $"{path} cannot be loaded ({problem})", "the loader runs every program without it", "install a package that is built for this system's C library");
            else if (path.AsSpan().IndexOfAny(' ', ':') >= 0) yield return new(Severity.Problem, "library", $"{path} has a blank or colon in its path", "LD_PRELOAD cannot name it", "install freeflow elsewhere");
            else yield return new(Severity.Good, "library", path);
        }
    }

    private static Finding Rdma()
    {
        string[] devices = Directory.Exists("/sys/class/infiniband") ? [.. Directory.EnumerateFileSystemEntries("/sys/class/infiniband").Select(entry => Path.GetFileName(entry)!)] : [];
        return new(Severity.Good, "rdma", devices.Length > 0 ? $"devices: {string.Join(", ", devices)}" : "no device; programs for RDMA are shown a virtual one, for this host's containers");
    }

    /// <summary>Programs whose two ends are both here, and that could be accelerated.</summary>
    private static IEnumerable<Finding> PlainPrograms()
    {
        IReadOnlyList<PlainProgram> programs = HostConnections.PlainPrograms();
        foreach (PlainProgram program in programs.Take(MostPrograms))
        {
            string what = $"{program.Name} (pid {program.Process}) {program.Service} within this host, {program.Connections} {(program.Connections == 1 ? "connection" : "connections")}, without the shim";
            if (program.File is not null && ProgramFileOf($"/proc/{program.Process}/exe") is { } file && ProgramChecks.Obstacle(program.File, file) is { } obstacle)
                yield return new(Severity.Note, "programs", $"{what}: {obstacle.What}", obstacle.Why, obstacle.Mend);
            else yield return new(Severity.Note, "programs", what, "both of a connection's programs need the shim", $"start it by 'freeflow run -- {program.Name} ...', or with LD_PRELOAD in its unit, if it is worth it");
        }
        if (programs.Count > MostPrograms) yield return new(Severity.Note, "programs", $"{programs.Count - MostPrograms} more without the shim", "as above", "the same for each: 'ss -tnp' lists them");
    }

    internal static ProgramFile? ProgramFileOf(string path)
    {
        try { return ProgramFile.Read(path); }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException) { return null; }
    }

    /// <summary>The soft limit of this process, which programs that it starts inherit.</summary>
    private static ulong Limit(string name)
    {
        string? line = Text("/proc/self/limits").Split('\n').FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
        return line is not null && ulong.TryParse(line[name.Length..].Trim().Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture, out ulong limit) ? limit : ulong.MaxValue;
    }

    private static string Number(ulong limit) => limit == ulong.MaxValue ? "as many descriptors as it likes" : $"{limit} descriptors";

    private static string Text(string path)
    {
        try { return File.ReadAllText(path).Trim(); }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException) { return ""; }
    }
}
