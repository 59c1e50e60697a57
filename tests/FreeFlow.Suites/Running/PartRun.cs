using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using FreeFlow.Lab;

namespace FreeFlow.Suites.Running;

/// <summary>What one run of a part brought.</summary>
/// <param name="Results">Tests and how they ended; empty when the run hung.</param>
/// <param name="Problem">Why there are no results; empty when there are.</param>
/// <param name="Joined">Connections that were given a ring.</param>
/// <param name="RingBytes">Bytes that went through rings.</param>
/// <param name="Elapsed">How long it took.</param>
/// <param name="Output">What the command wrote.</param>
public sealed record PartRun(IReadOnlyDictionary<string, Outcome> Results, string Problem, long Joined, long RingBytes, TimeSpan Elapsed, string Output)
{
    private static readonly Dictionary<string, string> s_variables = new()
    {
        ["FREEFLOW_OFFER_AFTER"] = "0",
        ["FREEFLOW_JOIN"] = "wait",
        // Tests that connect and accept in one thread can be joined only after both calls: waiting longer for that gains nothing.
        ["FREEFLOW_JOIN_TIMEOUT_MS"] = "50",
    };

    /// <summary>Names of the tests that passed.</summary>
    public IEnumerable<string> Passed => Results.Where(result => result.Value == Outcome.Passed).Select(result => result.Key);

    /// <summary>Stands for the plain run of a part that has expectations instead.</summary>
    public static PartRun Expecting(SuitePart part) => new(
        part.Expected!.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToDictionary(test => test, _ => Outcome.Passed), "", 0, 0, TimeSpan.Zero, part.Expected);

    /// <summary>Runs a part in a container of its own, preloaded (with a router) or plain.</summary>
    public static PartRun Of(SuitePart part, bool preloaded)
    {
        using ContainerPair pair = ContainerPair.Start();
        using RouterProcess? router = preloaded ? pair.StartRouter() : null;
        string folder = Folder(pair, "work");
        CommandLine command = part.Command(folder).With("TMPDIR", Folder(pair, "tmp")).With("HOME", Folder(pair, "home"));
        if (command.WorkingFolder is null) command = command.In(folder);
        CompletedProcess completed;
        try
        {
            completed = pair.First.Run(preloaded ? command.WithPreload().With(s_variables) : command, part.Patience);
        }
        catch (LabException exception)
        {
            return new PartRun(new Dictionary<string, Outcome>(), Ending(exception.Message, 500), 0, 0, part.Patience, exception.Message);
        }
        RouterStatus? status = router?.Status();
        IReadOnlyDictionary<string, Outcome> results = part.Read(folder, completed);
        string output = completed.Output + completed.Error;
        string problem = results.Count > 0 ? "" : $"no result, exit code {completed.ExitCode}: {Ending(output, 500)}";
        return new PartRun(results, problem, status?.JoinedTotal ?? 0, status?.RingBytesTotal ?? 0, completed.Elapsed, output);
    }

    // Servers drop their privileges and still write here.
    private static string Folder(ContainerPair pair, string name)
    {
        string folder = Directory.CreateDirectory(Path.Combine(pair.Folder, name)).FullName;
        if (OperatingSystem.IsLinux()) File.SetUnixFileMode(folder, (UnixFileMode)Convert.ToInt32("777", 8));
        return folder;
    }

    private static string Ending(string text, int length) => text.Length <= length ? text.Trim() : "…" + text[^length..].Trim();
}
