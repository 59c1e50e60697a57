using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;

namespace FreeFlow.Lab;

/// <summary>A process and everything below it, read from /proc (proc(5)).</summary>
public static class ProcessTree
{
    // Linux reports times in 1/100 s to user space on every architecture this runs on (USER_HZ).
    private const double TicksPerSecond = 100;

    /// <summary>The process and its living descendants, by pid, parents first. Empty when the process is gone.</summary>
    public static IReadOnlyList<int> Members(int root)
    {
        ILookup<int, int> children = Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), out int pid) ? pid : 0)
            .Where(pid => pid > 0)
            .Select(pid => (Pid: pid, Fields: Stat(pid)))
            .Where(process => process.Fields.Length > 0)
            .ToLookup(process => int.Parse(process.Fields[1], CultureInfo.InvariantCulture), process => process.Pid);
        List<int> members = Stat(root).Length > 0 ? [root] : [];
        for (int i = 0; i < members.Count; i++) members.AddRange(children[members[i]]);
        return members;
    }

    /// <summary>User and system time in seconds of the living members and of the descendants they have already waited for. Step: 10 ms.</summary>
    public static double CpuSeconds(int root) => Members(root).Sum(pid => Stat(pid) is { Length: > 14 } fields ? fields[11..15].Sum(Ticks) / TicksPerSecond : 0);

    /// <summary>
    /// Resident memory of the tree in KiB: <c>Rss</c> counts a page once per process that maps it, <c>Pss</c> shares it out among them (so the sum over all
    /// sides counts it once).
    /// </summary>
    public static (long Rss, long Pss) MemoryKib(int root)
    {
        long rss = 0, pss = 0;
        foreach (int pid in Members(root))
        {
            foreach (string line in ReadLines($"/proc/{pid}/smaps_rollup"))
            {
                if (line.StartsWith("Rss:", StringComparison.Ordinal)) rss += Number(line);
                if (line.StartsWith("Pss:", StringComparison.Ordinal)) pss += Number(line);
            }
        }
        return (rss, pss);
    }

    /// <summary>A value that no other process of the same pid has had: start time in ticks since boot; 0 when the process is gone.</summary>
    public static long StartTime(int pid) => Stat(pid) is { Length: > 19 } fields ? long.Parse(fields[19], CultureInfo.InvariantCulture) : 0;

    /// <summary>True if it has ended and nobody has waited for it yet.</summary>
    public static bool IsZombie(int pid) => Stat(pid) is { Length: > 0 } fields && fields[0] == "Z";

    private static double Ticks(string field) => double.Parse(field, CultureInfo.InvariantCulture);

    private static long Number(string line) => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);

    // Fields of /proc/pid/stat from the third on (state, parent, …): the second is the program's name, which may hold blanks and brackets.
    private static string[] Stat(int pid)
    {
        string text = string.Concat(ReadLines($"/proc/{pid}/stat"));
        int end = text.LastIndexOf(')');
        return end < 0 ? [] : text[(end + 2)..].Split(' ');
    }

    private static string[] ReadLines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return []; // it ended meanwhile (reading may then say "no such process")
        }
    }
}
