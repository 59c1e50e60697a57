using System.Collections.Generic;
using System.IO;
using System.Linq;
using FreeFlow.Suites.Running;
using FreeFlow.Suites.Suites;
using NUnit.Framework;

// Most of these tests sleep most of the time.
[assembly: LevelOfParallelism(8)]

namespace FreeFlow.Suites.Tests;

/// <summary>CPython's own network tests: the same ones pass with FreeFlow as without, and bytes go through rings.</summary>
[Parallelizable(ParallelScope.Children)]
public sealed class CPythonTests
{
    private string _logs = "";

    private static IEnumerable<SuitePart> Parts() => new CPython().Parts();

    [OneTimeSetUp]
    public void SetUp()
    {
        if (!File.Exists("/usr/lib/python3.11/test/test_socket.py")) Assert.Ignore("not installed: libpython3.11-testsuite ('make setup' installs it)");
        _logs = SuiteRunner.Logs(new CPython());
    }

    [TestCaseSource(nameof(Parts))]
    public void TheSameTestsPass(SuitePart part)
    {
        Comparison comparison = Comparison.Of(part, _logs);
        string report = string.Join('\n', SuiteReport.Lines(comparison));
        TestContext.Out.WriteLine($"{comparison.Plain.Passed.Count()} pass plain, {comparison.Preloaded.Passed.Count()} with FreeFlow; "
            + $"{comparison.Preloaded.Joined} connections joined, {comparison.Preloaded.RingBytes} bytes by ring\n{report}");
        Assert.That(comparison.Good, report);
    }
}
