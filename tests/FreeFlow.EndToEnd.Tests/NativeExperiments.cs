using System;
using System.IO;
using System.Linq;
using FreeFlow.Lab;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>The experiments of programs/native/, which need C: threads, signal handlers, bad pointers. Compiled when first asked for.</summary>
internal static class NativeExperiments
{
    private static readonly Lazy<string> s_program = new(Compile);

    public static string[] Names() => Tools.Find("gcc") is null
        ? []
        : Place.Host.Run(new CommandLine(s_program.Value, "list")).Succeeded("experiment list").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public static CommandLine Command(string name) => new(s_program.Value, name);

    private static string Compile()
    {
        string folder = Directory.CreateDirectory(Path.Combine(Artifacts.Root, "artifacts", "tests")).FullName;
        string program = Path.Combine(folder, "experiment");
        string[] sources = Directory.GetFiles(Tools.Program("native"), "*.c").Order(StringComparer.Ordinal).ToArray();
        _ = Place.Host.Run(new CommandLine("gcc", ["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-o", program, .. sources, "-lpthread", "-luring"])).Succeeded("gcc programs/native");
        return program;
    }
}
