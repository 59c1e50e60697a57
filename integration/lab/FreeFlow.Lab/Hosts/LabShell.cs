using System;

namespace FreeFlow.Lab.Hosts;

/// <summary>Runs the laboratory's small scripts.</summary>
internal static class LabShell
{
    /// <summary>Runs a script to its end behind <paramref name="entry"/>; throws with its output when it fails.</summary>
    internal static string Run(string[] entry, string script, string what, params string[] arguments)
    {
        using LabProcess process = new([.. entry, "sh", "-ec", script, "freeflow-lab", .. arguments], what, nested: false);
        return process.Wait(TimeSpan.FromSeconds(20)).Succeeded(what).Output;
    }

    /// <summary>The same inside the network namespace of a process alone.</summary>
    internal static string RunInNetwork(int pid, string script, string what, params string[] arguments) => Run(["nsenter", "-t", $"{pid}", "-n", "--"], script, what, arguments);
}
