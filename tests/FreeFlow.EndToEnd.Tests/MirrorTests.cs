using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>
/// The shim's side of docs/fabric.md, without a fabric: programs/mirror gives both ends of connections on one machine mirrored rings, copies between them late, and
/// loses the way between its two routers at any moment.
/// </summary>
public sealed class MirrorTests
{
    /// <summary>The seed is printed; 'mirror.py COUNT SEED' draws the same connections again.</summary>
    [Test]
    public void StreamsStayExactWhenTheWayBetweenTheRoutersIsLost()
    {
        const int connections = 60;
        Tools.Require(Tools.Python, "gcc", "cat");
        using Stage stage = new(Mixture.RouterAbsent);
        Dictionary<string, string> variables = new() { ["PROGRAM"] = Compile(), ["LIBRARY"] = Artifacts.PreloadLibrary };
        CompletedProcess run = stage.Server.Run(Tools.PythonProgram("mirror/mirror.py", $"{connections}").With(variables), TimeSpan.FromSeconds(120));
        TestContext.Out.WriteLine(run.Output);
        Assert.That(run.ExitCode, Is.Zero, run.Output + run.Error);
    }

    private static string Compile()
    {
        string folder = Directory.CreateDirectory(Path.Combine(Artifacts.Root, "artifacts", "tests")).FullName;
        string program = Path.Combine(folder, "mirror");
        string[] sources = Directory.GetFiles(Tools.Program("mirror"), "*.c").Order(StringComparer.Ordinal).ToArray();
        _ = Place.Host.Run(new CommandLine("gcc", ["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-o", program, .. sources])).Succeeded("gcc programs/mirror");
        return program;
    }
}
