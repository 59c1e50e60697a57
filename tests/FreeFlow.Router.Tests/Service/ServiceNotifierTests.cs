using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Sockets;
using System.Text;
using FreeFlow.Service;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Service;

/// <summary>sd_notify(3) against a real socket.</summary>
public sealed class ServiceNotifierTests
{
    [Test]
    public void WordsArriveOnASocketWithAPath()
    {
        string path = Path.Combine(Path.GetTempPath(), $"freeflow-notify.{Environment.ProcessId}");
        try
        {
            WordsArrive(path, path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void WordsArriveOnAnAbstractSocket() => WordsArrive($"\0freeflow-notify.{Environment.ProcessId}", $"@freeflow-notify.{Environment.ProcessId}");

    [TestCase("2000000", null, 1000)]
    [TestCase("2000000", "own", 1000)]
    [TestCase("2000000", "1", null)]
    [TestCase("0", null, null)]
    [TestCase("soon", null, null)]
    [TestCase(null, null, null)]
    public void TheWatchdogIsFedAtHalfItsTime(string? period, string? pid, int? milliseconds)
    {
        string name = $"freeflow-watchdog.{Environment.ProcessId}";
        using Socket manager = Manager("\0" + name);
        using ServiceNotifier notifier = new(Variables(("NOTIFY_SOCKET", "@" + name), ("WATCHDOG_USEC", period), ("WATCHDOG_PID", pid == "own" ? $"{Environment.ProcessId}" : pid)));
        Assert.That(notifier.WatchdogInterval?.TotalMilliseconds, Is.EqualTo(milliseconds));
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase("/nowhere/at/all")]
    [TestCase("vsock:2:1")]
    public void WithoutAManagerNothingHappens(string? socket)
    {
        using ServiceNotifier notifier = new(Variables(("NOTIFY_SOCKET", socket), ("WATCHDOG_USEC", "1000000")));
        notifier.Ready("here");
        notifier.Stopping();
        Assert.That(notifier.WatchdogInterval, Is.Null);
    }

    [Test]
    public void AManagerThatDoesNotReadHoldsNobodyUp()
    {
        string name = $"freeflow-deaf.{Environment.ProcessId}";
        using Socket manager = Manager("\0" + name);
        using ServiceNotifier notifier = new(Variables(("NOTIFY_SOCKET", "@" + name)));
        for (int i = 0; i < 10_000; i++) notifier.Alive();
        Assert.That(Read(manager), Is.EqualTo("WATCHDOG=1"));
    }

    private static void WordsArrive(string address, string variable)
    {
        using Socket manager = Manager(address);
        using ServiceNotifier notifier = new(Variables(("NOTIFY_SOCKET", variable)));
        notifier.Ready("listens");
        Assert.That(Read(manager), Is.EqualTo("READY=1\nSTATUS=listens"));
        long before = Environment.TickCount64;
        notifier.Reloading();
        string[] lines = Read(manager).Split('\n');
        Assert.That(lines[0], Is.EqualTo("RELOADING=1"));
        // CLOCK_MONOTONIC, as TickCount64 reads it in whole milliseconds (its coarse form, which lags by some more).
        Assert.That(lines[1], Does.StartWith("MONOTONIC_USEC="));
        Assert.That(long.Parse(lines[1]["MONOTONIC_USEC=".Length..]) / 1000, Is.InRange(before - 100, Environment.TickCount64 + 100));
        notifier.Status("busy");
        notifier.Alive();
        notifier.Stopping();
        Assert.That((Read(manager), Read(manager), Read(manager)), Is.EqualTo(("STATUS=busy", "WATCHDOG=1", "STOPPING=1\nSTATUS=stopping")));
    }

    private static Socket Manager(string address)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 5000 };
        socket.Bind(new UnixDomainSocketEndPoint(address));
        return socket;
    }

    private static string Read(Socket manager)
    {
        byte[] buffer = new byte[4096];
        return Encoding.UTF8.GetString(buffer, 0, manager.Receive(buffer));
    }

    private static Func<string, string?> Variables(params (string Name, string? Value)[] variables)
    {
        Dictionary<string, string?> all = [];
        foreach ((string name, string? value) in variables) all[name] = value;
        return name => all.GetValueOrDefault(name);
    }
}
