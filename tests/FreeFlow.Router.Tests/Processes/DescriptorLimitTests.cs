using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Native;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>A router whose descriptors others have used up: it turns newcomers away, refuses what it cannot do with a reason, and goes on.</summary>
[NonParallelizable]
public class DescriptorLimitTests
{
    private const int Limit = 512;

    private readonly List<int> _callers = [];

    [TearDown]
    public void TearDown()
    {
        foreach (int caller in _callers) Libc.close(caller);
        _callers.Clear();
    }

    /// <summary>Rates make the router relay inside this host, for which it needs descriptors of its own.</summary>
    [TestCase(false, TestName = "Rings of this host")]
    [TestCase(true, TestName = "Streams through the router")]
    public void CallersCannotUseThemUp(bool relayed)
    {
        string policy = Path.GetTempFileName();
        try
        {
            if (relayed) File.WriteAllText(policy, "rate 127.0.0.1 max=1000\n");
            using RouterUnderTest router = RouterUnderTest.StartWithDescriptors(Limit, relayed ? ["--policy", policy] : []);
            using FakeShim shim = FakeShim.Greeted(router);
            Crowd(router, shim);
            // Others' offers are answered as ever.
            for (uint i = 0; i < 5; i++)
            {
                using TcpPair pair = TcpPair.Loopback();
                shim.Offer(2 * i, pair.Client);
                shim.Offer((2 * i) + 1, pair.Server);
                using Received first = shim.Receive(), second = shim.Receive();
                Assert.That((first.Type, second.Type), Is.EqualTo((MessageType.Join, MessageType.Join)), router.Process.Output);
            }
            Assert.That(router.Process.Process.HasExited, Is.False);
            foreach (int caller in _callers) Libc.close(caller);
            _callers.Clear();
            using FakeShim newcomer = Welcomed(router);
            Assert.That(newcomer.HearsNothing());
            Assert.That(router.Status().GetProperty("router").GetProperty("faults").GetInt64(), Is.Zero, router.Process.Output);
        }
        finally { File.Delete(policy); }
    }

    /// <summary>
    /// Those who are in make it keep more: the reserve is for what it does for a moment, so their own offers are refused with a reason, and no session ends for it.
    /// </summary>
    [Test]
    public void SessionsCannotUseThemUp()
    {
        string policy = Path.GetTempFileName();
        try
        {
            File.WriteAllText(policy, "rate 127.0.0.1 max=1000\n");
            using RouterUnderTest router = RouterUnderTest.StartWithDescriptors(Limit, "--policy", policy);
            using FakeShim shim = FakeShim.Greeted(router);
            Crowd(router, shim);
            List<Received> given = [];
            int refused = 0;
            for (uint i = 0; refused < 5 && i < Limit; i++)
            {
                using TcpPair pair = TcpPair.Loopback();
                shim.Offer(2 * i, pair.Client);
                shim.Offer((2 * i) + 1, pair.Server);
                for (int answers = 0; answers < 2; answers++)
                {
                    // Where the second end alone is refused, the first one waits for it on.
                    if (answers == 1 && given[^1].Reason == Reason.RouterLimit && shim.HearsNothing()) break;
                    given.Add(shim.Receive());
                    Assert.That(given[^1].IsClosed, Is.False, router.Process.Output);
                    if (given[^1].Reason is Reason.MemoryLimit or Reason.RouterLimit) refused++;
                }
            }
            Assert.That(refused, Is.GreaterThanOrEqualTo(5), "each relayed end costs the router a descriptor");
            foreach (Received answer in given) answer.Dispose();
            Assert.That(shim.HearsNothing(), "it is a session as before");
            Assert.That(router.Process.Process.HasExited, Is.False);
        }
        finally { File.Delete(policy); }
    }

    /// <summary>A new caller, once the sockets of those who have gone are closed.</summary>
    private static FakeShim Welcomed(RouterUnderTest router)
    {
        for (int i = 0; ; i++)
        {
            try { return FakeShim.Greeted(router, "newcomer"); }
            catch (InvalidOperationException) when (i < 1000) { Thread.Sleep(1); }
        }
    }

    private static int Highest(int process) => Directory.GetFiles($"/proc/{process}/fd").Max(path => int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture));

    /// <summary>Calls until the router lets nobody in.</summary>
    private void Crowd(RouterUnderTest router, FakeShim shim)
    {
        for (int i = 0; i < Limit && !router.Process.Output.Contains("turned away", System.StringComparison.Ordinal); i++)
        {
            int caller = SeqPacket.Connect(router.SocketPath);
            Assert.That(caller, Is.GreaterThanOrEqualTo(0), Errno.LastText);
            _callers.Add(caller);
            // Two answers on, the router has dealt with this caller.
            _ = shim.HearsNothing() && shim.HearsNothing();
        }
        Assert.That(router.Process.WaitFor("turned away"), router.Process.Output);
        // Those who were turned away are closed by other threads; until then their numbers reach into the reserve.
        while (Highest(router.Process.Process.Id) >= Limit * 5 / 8) Thread.Sleep(1);
    }
}
