using System;
using System.Globalization;
using System.IO;
using System.Text.RegularExpressions;
using System.Threading;
using CliWrap;
using CliWrap.Buffered;

namespace FreeFlow.Models.Tests;

/// <summary>Runs spin, gcc and the verifier they make, in a temporary folder.</summary>
internal static class Spin
{
    // pan -m: the deepest path seen here is about 1,000 steps; MEMLIM is in MiB. COLLAPSE only packs states, it loses none.
    private const string DepthLimit = "-m100000";
    private static readonly string[] CompilerArguments = ["-w", "-DSAFETY", "-DCOLLAPSE", "-DMEMLIM=1000", "-o", "pan", "pan.c"];
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(180);

    /// <summary>The models beside the test assembly.</summary>
    public static string ModelFolder => Path.Combine(AppContext.BaseDirectory, "models");

    /// <summary>Explores <paramref name="model"/> (a file name in <see cref="ModelFolder"/>), with a fault seeded if one is named.</summary>
    public static Exploration Explore(string model, string? fault = null)
    {
        string folder = Directory.CreateTempSubdirectory("freeflow-model-").FullName;
        try
        {
            File.Copy(Path.Combine(ModelFolder, model), Path.Combine(folder, model));
            Run(folder, "spin", fault is null ? ["-a", model] : ["-a", "-D" + fault, model]);
            // A fault is found within a second: there the compiler would be the longer part.
            Run(folder, "gcc", [fault is null ? "-O2" : "-O0", .. CompilerArguments]);
            return Read(Run(folder, Path.Combine(folder, "pan"), [DepthLimit]));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Reads the verifier's output.</summary>
    public static Exploration Read(string report)
    {
        Match errors = Regex.Match(report, @"errors: (\d+)");
        Match states = Regex.Match(report, @"(\d+) states, stored");
        if (!errors.Success || !states.Success) throw new InvalidOperationException("the verifier's output has no 'errors:' or no 'states, stored' line:\n" + report);
        bool complete = !Regex.IsMatch(report, "Search not completed|max search depth too small|out of memory|hash compaction|Bit statespace", RegexOptions.IgnoreCase);
        string violation = Regex.Match(report, @"^pan:\d+: (.*)$", RegexOptions.Multiline).Groups[1].Value;
        return new Exploration(
            int.Parse(errors.Groups[1].Value, CultureInfo.InvariantCulture), complete,
            long.Parse(states.Groups[1].Value, CultureInfo.InvariantCulture), violation, report);
    }

    private static string Run(string folder, string program, string[] arguments)
    {
        using CancellationTokenSource limit = new(Limit);
        BufferedCommandResult result;
        try
        {
            result = Cli.Wrap(program).WithArguments(arguments).WithWorkingDirectory(folder).WithValidation(CommandResultValidation.None)
                .ExecuteBufferedAsync(limit.Token).GetAwaiter().GetResult();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new InvalidOperationException($"'{program}' is not installed; install the Debian packages spin and gcc");
        }
        string output = result.StandardOutput + result.StandardError;
        if (!result.IsSuccess) throw new InvalidOperationException($"'{program} {string.Join(' ', arguments)}' failed:\n{output}");
        return output;
    }
}
