using System;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>
/// programs/faults: ends and router killed, restarted and stopped under load. A small dose of each; 'make test-faults' gives as much as one likes.
/// </summary>
public sealed class FaultTests
{
    [TestCase("kill", 60)]
    [TestCase("router", 2)]
    [TestCase("stop", 9)]
    [TestCase("hostile", 5)]
    [TestCase("control", 3)]
    [TestCase("disk", 2)]
    [TestCase("clock", 2)]
    public void StreamsStayExactOrEndAsInTheKernel(string fault, int dose)
    {
        Tools.Require(Tools.Python, "gcc");
        using Stage stage = new(Mixture.RouterAbsent);
        CommandLine command = Tools.PythonProgram("faults/faults.py", fault, $"{dose}");
        CompletedProcess run = stage.Server.Run(command, TimeSpan.FromSeconds(180));
        TestContext.Out.WriteLine(run.Output);
        Assert.That(run.ExitCode, Is.Zero, run.Output + run.Error);
    }
}
