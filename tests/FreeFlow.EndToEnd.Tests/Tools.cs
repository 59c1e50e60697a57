using System;
using System.IO;
using System.Linq;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>Finds the machine's programs and the test's own.</summary>
public static class Tools
{
    /// <summary>Debian's python, whatever else stands in PATH.</summary>
    public const string Python = "/usr/bin/python3";

    /// <summary>Full path, or null.</summary>
    public static string? Find(string program)
    {
        if (program.Contains('/', StringComparison.Ordinal)) return File.Exists(program) ? program : null;
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Concat(["/usr/sbin", "/sbin"]).ToArray();
        return folders.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
    }

    /// <summary>Ignores the test, naming what to install, unless all programs are there.</summary>
    public static void Require(params string[] programs)
    {
        string[] missing = programs.Where(program => Find(program) is null).ToArray();
        if (missing.Length > 0) Assert.Ignore($"not installed: {string.Join(", ", missing)} ('make setup' installs what Debian has)");
    }

    /// <summary>Path of one of the files in programs/.</summary>
    public static string Program(string name) => Path.Combine(Artifacts.Root, "tests", "FreeFlow.EndToEnd.Tests", "programs", name);

    /// <summary>A command that runs one of the Python programs in programs/.</summary>
    public static CommandLine PythonProgram(string name, params string[] arguments) => new(Python, ["-B", Program(name), .. arguments]);
}
