using System;
using System.IO;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Processes;

/// <summary><c>freeflow status --watch</c> on a terminal, and into a file.</summary>
public class StatusWatchTests
{
    private const string HomeAndClear = "\u001b[H\u001b[J";

    private RouterUnderTest _router = null!;

    [SetUp]
    public void SetUp() => _router = RouterUnderTest.Start();

    [TearDown]
    public void TearDown() => _router.Dispose();

    [Test]
    public void ATerminalSeesEachLookInPlaceOfTheLast()
    {
        string command = $"'{Environment.ProcessPath}' '{Path.Combine(AppContext.BaseDirectory, "freeflow.dll")}' status --watch 0.1 --router '{_router.SocketPath}'";
        using TestProcess watch = new("script", "-qfec", command, "/dev/null");
        Assert.That(watch.WaitFor("no processes of yours"), watch.Output);
        using (FakeShim shim = FakeShim.Greeted(_router, "latecomer")) Assert.That(watch.WaitFor("latecomer"), watch.Output);
        int seen = watch.Output.LastIndexOf("latecomer", StringComparison.Ordinal);
        Assert.That(() => watch.Output.LastIndexOf("no processes of yours", StringComparison.Ordinal), Is.GreaterThan(seen).After(10_000, 20), "gone again");
        Assert.That(watch.Output.Split(HomeAndClear), Has.Length.GreaterThan(3), "each look begins with a cleared screen");
    }

    [Test]
    public void AFileGetsOneLookAfterTheOtherWithoutControlCodes()
    {
        using TestProcess watch = TestProcess.OfThisBuild("freeflow.dll", "status", "--watch", "0.1", "--router", _router.SocketPath);
        Assert.That(() => watch.Output.Split("no processes of yours").Length, Is.GreaterThan(3).After(10_000, 20));
        Assert.That(watch.Output, Does.Not.Contain('\u001b'));
    }
}
