using System;
using System.Linq;
using System.Text;
using CliWrap;

namespace FreeFlow.Cli.Inspection;

/// <summary>Whether the dynamic loader of this system takes a library.</summary>
internal static class SharedLibrary
{
    private static readonly string[] s_programs = ["/bin/true", "/usr/bin/true"];

    /// <summary>What the loader says against it, in one line; null if it says nothing. Nothing of the library is run (ld.so(8), LD_TRACE_LOADED_OBJECTS).</summary>
    public static string? Problem(string path)
    {
        if (s_programs.FirstOrDefault(System.IO.File.Exists) is not { } program) return null;
        StringBuilder said = new();
        _ = CliWrap.Cli.Wrap(program).WithEnvironmentVariables(set => set.Set("LD_PRELOAD", path).Set("LD_TRACE_LOADED_OBJECTS", "1").Set("LD_WARN", "yes").Set("LC_ALL", "C"))
            .WithValidation(CommandResultValidation.None).WithStandardErrorPipe(PipeTarget.ToStringBuilder(said)).WithStandardOutputPipe(PipeTarget.ToStringBuilder(said))
            .ExecuteAsync().Task.GetAwaiter().GetResult();
        string[] lines = said.ToString().Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return lines.FirstOrDefault(line => line.StartsWith("ERROR: ", StringComparison.Ordinal) || line.Contains("not found", StringComparison.Ordinal) || line.Contains("undefined symbol", StringComparison.Ordinal));
    }
}
