using System.IO;
using System.Linq;
using FreeFlow.Suites.Running;
using FreeFlow.Suites.Suites;
using NUnit.Framework;

namespace FreeFlow.Suites.Tests;

/// <summary>rdma-core's own tests: those that the virtual device can pass do, and none fails.</summary>
public sealed class RdmaCoreTests
{
    [Test]
    public void PassesWhatItHas()
    {
        if (!File.Exists("/usr/share/doc/rdma-core/tests/run_tests.py")) Assert.Ignore("not installed: python3-pyverbs ('make setup' installs it)");
        Comparison comparison = Comparison.Of(new RdmaCore().Parts().Single(), SuiteRunner.Logs(new RdmaCore()));
        Assert.That(comparison.Good, string.Join('\n', SuiteReport.Lines(comparison)));
    }
}
