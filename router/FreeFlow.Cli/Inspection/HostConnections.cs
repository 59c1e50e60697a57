using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;

namespace FreeFlow.Cli.Inspection;

/// <summary>
/// Established TCP connections whose two ends are both on this host, in whichever network namespaces, and the programs that hold them without the
/// shim, as far as /proc shows them to this user (proc(5)).
/// </summary>
internal static class HostConnections
{
    private const string Established = "01", Library = "libfreeflow.so";
    private const int MostProcesses = 100_000, MostConnections = 200_000;

    private readonly record struct Ends(string Local, string Remote, string Inode)
    {
        public bool Serves => Port(Local) <= Port(Remote);
        public string Service => Serves ? $"serves {Port(Local)}" : $"calls {Port(Remote)}";

        private static int Port(string end) => int.Parse(end.AsSpan(end.IndexOf(':', StringComparison.Ordinal) + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }

    /// <summary>The programs, those with the most connections first.</summary>
    public static IReadOnlyList<PlainProgram> PlainPrograms()
    {
        Dictionary<string, Ends> bySocket = LocalConnections();
        List<PlainProgram> programs = [];
        if (bySocket.Count == 0) return programs;
        foreach (int process in Processes())
        {
            Ends[] held = [.. Sockets(process).Where(bySocket.ContainsKey).Select(socket => bySocket[socket]).Distinct()];
            if (held.Length == 0 || HasShim(process)) continue;
            string name = Try(() => File.ReadAllText($"/proc/{process}/comm").TrimEnd()) ?? "?";
            // The router's own connections are to other routers.
            if (name is "freeflow-router" or "freeflow-hunter") continue;
            string? file = Try(() => new FileInfo($"/proc/{process}/exe").LinkTarget);
            programs.AddRange(held.GroupBy(ends => ends.Service).Select(service => new PlainProgram(process, name, service.Key, service.Count(), file)));
        }
        return [.. programs.OrderByDescending(program => program.Connections).ThenBy(program => program.Process)];
    }

    /// <summary>Connections of which this host has both ends, by the name of each end's socket, as links in /proc/PID/fd have it.</summary>
    private static Dictionary<string, Ends> LocalConnections()
    {
        List<Ends> all = [];
        HashSet<string> namespaces = [];
        foreach (int process in Processes())
        {
            if (Try(() => new FileInfo($"/proc/{process}/ns/net").LinkTarget) is not { } name || !namespaces.Add(name)) continue;
            foreach (string table in (ReadOnlySpan<string>)["tcp", "tcp6"]) all.AddRange(Read($"/proc/{process}/net/{table}"));
            if (all.Count > MostConnections) break;
        }
        HashSet<(string, string)> ends = [.. all.Select(one => (one.Local, one.Remote))];
        Dictionary<string, Ends> local = [];
        foreach (Ends one in all.Where(one => ends.Contains((one.Remote, one.Local)))) local[$"socket:[{one.Inode}]"] = one;
        return local;
    }

    private static List<Ends> Read(string table)
    {
        List<Ends> connections = [];
        foreach (string line in Try(() => File.ReadAllLines(table)) ?? [])
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 9 && words[3] == Established) connections.Add(new Ends(Plain(words[1]), Plain(words[2]), words[9]));
        }
        return connections;
    }

    /// <summary>An IPv4 address that stands in the table of IPv6 as in that of IPv4.</summary>
    private static string Plain(string end)
    {
        const string mapped = "0000000000000000FFFF0000";
        return end.StartsWith(mapped, StringComparison.Ordinal) ? end[mapped.Length..] : end;
    }

    private static IEnumerable<int> Processes() =>
        Directory.EnumerateDirectories("/proc").Select(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int process) ? process : 0)
            .Where(process => process > 0 && process != Environment.ProcessId).Take(MostProcesses);

    private static IEnumerable<string> Sockets(int process)
    {
        string[] descriptors = Try(() => Directory.GetFiles($"/proc/{process}/fd")) ?? [];
        return descriptors.Select(descriptor => Try(() => new FileInfo(descriptor).LinkTarget) ?? "");
    }

    /// <summary>True as well if that cannot be told: nothing is said of what is not seen.</summary>
    private static bool HasShim(int process) => Try(() => File.ReadAllText($"/proc/{process}/maps")) is not { } maps || maps.Contains(Library, StringComparison.Ordinal);

    /// <summary>What a process that may end at any time, or belong to another user, still shows; null otherwise.</summary>
    private static T? Try<T>(Func<T?> read)
        where T : class
    {
        try { return read(); }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException) { return null; }
    }
}
