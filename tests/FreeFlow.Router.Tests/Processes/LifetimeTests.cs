using System.IO;
using FreeFlow.Cli;
using FreeFlow.Contract;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>The socket file, and what becomes of it.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public class LifetimeTests
{
    [Test]
    public void TheSocketFileIsOpenToAllAndGoesWithTheRouter()
    {
        using RouterUnderTest router = RouterUnderTest.Start();
        UnixFileMode everyone = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        Assert.That(File.GetUnixFileMode(router.SocketPath), Is.EqualTo(everyone));
        Assert.That(router.Process.Terminate(), Is.Zero);
        Assert.That(File.Exists(router.SocketPath), Is.False);
    }

    [Test]
    public void ASocketFileThatAKilledRouterLeftIsReplaced()
    {
        using RouterUnderTest router = RouterUnderTest.Start();
        router.Process.Kill();
        Assert.That(File.Exists(router.SocketPath));
        Assert.That(Assert.Throws<CommandException>(() => RouterClient.AskStatus(router.SocketPath))!.Message, Does.Contain(router.SocketPath).And.Contain("stopped"));
        router.Restart();
        Assert.That(router.Status().GetProperty("router").GetProperty("pid").GetInt32(), Is.EqualTo(router.Process.Process.Id));
    }

    [Test]
    public void ASecondRouterOnOnePathGivesUpAndHarmsNothing()
    {
        using RouterUnderTest router = RouterUnderTest.Start();
        using TestProcess second = router.Launch();
        Assert.That(second.WaitForExit(), Is.EqualTo(1));
        Assert.That(second.Output, Does.Contain(router.SocketPath).And.Contain("answers there").And.Not.Contain("\n"));
        Assert.That(router.Status().GetProperty("processes").GetArrayLength(), Is.Zero);
    }

    [Test]
    public void AFileThatIsNoSocketIsLeftAlone()
    {
        using RouterUnderTest router = RouterUnderTest.Prepare();
        Directory.CreateDirectory(Path.GetDirectoryName(router.SocketPath)!);
        File.WriteAllText(router.SocketPath, "precious");
        using TestProcess process = router.Launch();
        Assert.That((process.WaitForExit(), File.ReadAllText(router.SocketPath)), Is.EqualTo((1, "precious")));
    }

    [Test]
    public void AMissingRouterIsNamedWithTheMend()
    {
        string message = Assert.Throws<CommandException>(() => RouterClient.AskStatus("/nowhere/router.sock"))!.Message;
        Assert.That(message, Does.Contain("/nowhere/router.sock").And.Contain("start freeflow-router").And.Not.Contain("\n"));
    }

    [Test]
    public void AfterARestartShimsAreTakenInAgain()
    {
        using RouterUnderTest router = RouterUnderTest.Start();
        using FamilyMemory family = new();
        using (FakeShim shim = FakeShim.Greeted(router, family: family))
        {
            router.Process.Kill();
            Assert.That(shim.Receive().IsClosed);
        }
        using FamilyMemory fresh = new();
        router.Restart();
        using FakeShim again = FakeShim.Greeted(router, "again", fresh);
        using TcpPair pair = TcpPair.Loopback();
        again.Offer(0, pair.Client);
        again.Offer(1, pair.Server);
        using Received first = again.Receive(), second = again.Receive();
        Assert.That((first.Type, second.Type), Is.EqualTo((MessageType.Join, MessageType.Join)));
    }
}
