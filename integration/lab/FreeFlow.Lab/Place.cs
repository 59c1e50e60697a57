using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Threading;

namespace FreeFlow.Lab;

/// <summary>Somewhere a program can run: this machine itself, or a <see cref="Container"/>.</summary>
public class Place
{
    private static int s_count;

    /// <summary>This machine, outside every container.</summary>
    public static Place Host { get; } = new("host", null);

    internal Place(string name, string? socketPath)
    {
        Name = name;
        SocketPath = socketPath;
    }

    /// <summary>Name for messages, and of the container as FreeFlow shows it.</summary>
    public string Name { get; }

    /// <summary>The router's socket as programs here see it; null: FreeFlow's default.</summary>
    public string? SocketPath { get; init; }

    /// <summary>Starts a program and returns at once.</summary>
    public LabProcess Start(CommandLine command)
    {
        LabProcess process = new(CommandFor(command), command.ToString(), Entry.Length > 0);
        Started(process);
        return process;
    }

    /// <summary>The words that run a command here from the machine.</summary>
    public string[] CommandFor(CommandLine command) => [.. Entry, .. Arguments(command)];

    /// <summary>Runs a program to its end, with CPU time; throws when it takes longer than <paramref name="timeout"/> (default 60 s).</summary>
    public CompletedProcess Run(CommandLine command, TimeSpan? timeout = null)
    {
        // bash's "time" is the one tool on every Debian that reports the CPU time of an ended program and its children; the program's own
        // standard error goes round it by descriptor 4.
        string times = Path.Combine(Path.GetTempPath(), $"freeflow-time.{Environment.ProcessId}.{Interlocked.Increment(ref s_count)}");
        try
        {
            string[] timed = ["bash", "-c", "TIMEFORMAT='%U %S'; { time \"$@\" 2>&4 4>&-; } 4>&2 2>\"$0\"", times];
            using LabProcess process = new([.. Entry, .. timed, .. Arguments(command)], command.ToString(), Entry.Length > 0);
            Started(process);
            CompletedProcess completed = process.Wait(timeout ?? TimeSpan.FromSeconds(60));
            return completed with { CpuSeconds = ReadTimes(times) };
        }
        finally
        {
            File.Delete(times);
        }
    }

    /// <summary>What to put before a command to run it here.</summary>
    internal virtual string[] Entry => [];

    /// <summary>Told of every process started here.</summary>
    internal virtual void Started(LabProcess process)
    {
    }

    private List<string> Arguments(CommandLine command)
    {
        List<string> arguments = [];
        if (command.User is { } user) arguments.AddRange(["setpriv", $"--reuid={user}", $"--regid={user}", "--init-groups", "--"]);
        arguments.AddRange(["env", "-C", command.WorkingFolder ?? "/", "-u", "LD_PRELOAD"]);
        if (command.Accelerated || command.Preloaded)
        {
            arguments.Add($"FREEFLOW_NAME={Name}");
            if (SocketPath is not null) arguments.Add($"FREEFLOW_SOCKET={SocketPath}");
        }
        if (command.Preloaded) arguments.Add($"LD_PRELOAD={Artifacts.PreloadLibrary}");
        foreach ((string name, string value) in command.Environment) arguments.Add($"{name}={value}");
        // Quiet: some of these programs have no router on purpose, and their standard error is looked at.
        if (command.Accelerated) arguments.AddRange([Artifacts.Cli, "run", "--quiet", "--"]);
        arguments.Add(command.Program);
        arguments.AddRange(command.Arguments);
        return arguments;
    }

    private static double ReadTimes(string path)
    {
        // The last line: bash itself may have written a message ("command not found") before it.
        string[] lines = File.Exists(path) ? File.ReadAllLines(path) : [];
        double sum = 0;
        if (lines.Length == 0) return 0;
        foreach (string part in lines[^1].Split(' '))
        {
            if (double.TryParse(part, CultureInfo.InvariantCulture, out double seconds)) sum += seconds;
        }
        return sum;
    }
}
