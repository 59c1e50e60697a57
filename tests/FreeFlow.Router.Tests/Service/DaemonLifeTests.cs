using System;
using System.Net.Sockets;
using System.Text;
using FreeFlow.Router.Tests.Processes;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Service;

/// <summary>
/// What a router says to its service manager from start to end, and what signals do. Its parent is not called systemd here.
/// </summary>
public sealed class DaemonLifeTests
{
    private const int SIGHUP = 1, SIGINT = 2, SIGTERM = 15;

    /// <summary>
    /// Once a second, so that a test that is held up for long does not fill the manager's queue, where words would be lost.
    /// </summary>
    private const string Alive = "WATCHDOG=1";

    [TestCase(SIGINT)]
    [TestCase(SIGTERM)]
    public void TheManagerHearsOfStartReloadAndEnd(int signal)
    {
        string name = $"freeflow-life-{signal}.{Environment.ProcessId}";
        using Socket manager = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 20_000 };
        manager.Bind(new UnixDomainSocketEndPoint("\0" + name));
        // Who starts the tests may ignore signals (nohup), and a program inherits that.
        string[] before = ["env", "--default-signal=HUP,INT", $"NOTIFY_SOCKET=@{name}", "WATCHDOG_USEC=2000000"];
        using RouterUnderTest router = RouterUnderTest.StartBehind(before);
        string status = $"STATUS=listens on {router.SocketPath}";
        Assert.That((ReadPast(manager, Alive), ReadPast(manager, Alive)), Is.EqualTo((status, "READY=1")));
        Assert.That(router.Status, Throws.Nothing, "it does not serve");
        Assert.That(Read(manager), Is.EqualTo(Alive));

        Kernel.kill(router.Process.Process.Id, SIGHUP);
        Assert.That(ReadPast(manager, Alive), Does.StartWith("RELOADING=1\nMONOTONIC_USEC="));
        Assert.That(ReadPast(manager, Alive), Is.EqualTo($"READY=1\n{status}"));
        Assert.That(router.Process.WaitFor("options are read again"));

        Kernel.kill(router.Process.Process.Id, signal);
        // Two threads of the host say them, in either order.
        string[] end = [ReadPast(manager, Alive), ReadPast(manager, Alive)];
        Assert.That(end, Is.EquivalentTo(new[] { "STOPPING=1", "STATUS=stopping" }));
        Assert.That(router.Process.WaitForExit(), Is.Zero, router.Process.Output);
        Assert.That(router.Process.Output, Does.EndWith("freeflow-router: stopped"));
    }

    /// <summary>The next words that are not <paramref name="repeated"/>, or those if nothing else comes in a minute.</summary>
    private static string ReadPast(Socket manager, string repeated)
    {
        const int most = 60;
        string words = Read(manager);
        for (int i = 0; words == repeated && i < most; i++) words = Read(manager);
        return words;
    }

    private static string Read(Socket manager)
    {
        byte[] buffer = new byte[4096];
        return Encoding.UTF8.GetString(buffer, 0, manager.Receive(buffer));
    }
}
