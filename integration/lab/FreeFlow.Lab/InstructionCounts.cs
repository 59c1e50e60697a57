using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;

namespace FreeFlow.Lab;

/// <summary>
/// Instructions in user space of single calls, counted by valgrind's callgrind in the functions <c>counted_…</c> of the measuring program: the same on every run,
/// whatever else the machine does. The kernel's part of a call does not count.
/// </summary>
public static class InstructionCounts
{
    private const int Times = 2000, Opened = Times / 10;
    private const string Prefix = "counted_";

    /// <summary>What the present code is compared with; kept in the repository.</summary>
    public static string RecordPath => Path.Combine(Artifacts.Root, "tests", "FreeFlow.Bench", "instructions.txt");

    /// <summary>Counts each call, plain or accelerated.</summary>
    /// <param name="place">Where; for accelerated calls with a router.</param>
    /// <param name="probe">The measuring program.</param>
    /// <param name="folder">For callgrind's file.</param>
    /// <param name="port">A free port.</param>
    /// <param name="accelerated">With the library preloaded and the connection in its ring.</param>
    /// <param name="crowd">Other connections of the process, used once and idle since, in the same epoll set.</param>
    public static SortedDictionary<string, double> Take(Place place, string probe, string folder, int port, bool accelerated, int crowd = 0)
    {
        string file = Path.Combine(folder, $"callgrind.{Text(port)}");
        CommandLine command = new("valgrind", "--tool=callgrind", "-q", $"--callgrind-out-file={file}", probe, "count", Text(port), Text(Times), Text(crowd));
        // The runtime would reserve more address space than valgrind gives.
        if (accelerated) command = command.WithPreload().With("FREEFLOW_OFFER_AFTER", "0").With("FREEFLOW_JOIN", "wait").With("FREEFLOW_JOIN_TIMEOUT_MS", "20").With("DOTNET_GCHeapHardLimit", "0x4000000");
        CompletedProcess run = place.Run(command, TimeSpan.FromMinutes(5)).Succeeded("valgrind probe count");
        bool byKernel = long.Parse(run.Output.Trim(), CultureInfo.InvariantCulture) != 0;
        if (accelerated == byKernel) throw new LabException(accelerated ? "the calls were counted on the kernel path: the connection was not in its ring" : "the plain connection carried nothing");
        string annotated = Place.Host.Run(new CommandLine("callgrind_annotate", "--inclusive=yes", "--threshold=100", file)).Succeeded("callgrind_annotate").Output;
        SortedDictionary<string, double> counts = new(StringComparer.Ordinal);
        foreach (string line in annotated.Split('\n'))
        {
            int name = line.IndexOf(Prefix, StringComparison.Ordinal);
            if (name < 0) continue;
            string call = new([.. line[(name + Prefix.Length)..].TakeWhile(letter => char.IsLetter(letter) || letter == '_')]);
            counts[call] = double.Parse(line.TrimStart().Split(' ')[0], NumberStyles.AllowThousands, CultureInfo.InvariantCulture) / (call is "open" or "close" ? Opened : Times);
        }
        return counts;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>The record: call and count a line.</summary>
    public static SortedDictionary<string, double> ReadRecord()
    {
        SortedDictionary<string, double> counts = new(StringComparer.Ordinal);
        if (!File.Exists(RecordPath)) return counts;
        foreach (string line in File.ReadLines(RecordPath).Where(line => line.Length > 0 && line[0] != '#'))
        {
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            counts[fields[0]] = double.Parse(fields[1], CultureInfo.InvariantCulture);
        }
        return counts;
    }

    /// <summary>Keeps counts as the record.</summary>
    public static void WriteRecord(IReadOnlyDictionary<string, double> counts) => File.WriteAllLines(RecordPath,
        counts.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key,-12} {pair.Value:0.0}"))
            .Prepend("# Instructions in user space of one call of 64 bytes with the library preloaded; 'make count RECORD=1' writes this file."));
}
