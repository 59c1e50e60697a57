using System;
using System.Globalization;
using System.IO;
using System.Linq;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>What tens of thousands of offers have left behind goes back to the system once the router is idle.</summary>
public class MemoryTests
{
    [Test]
    public void AnIdleRouterGivesMemoryBack()
    {
        const int warmUp = 5_000, offers = 60_000, tolerated = 8192;
        using RouterUnderTest router = RouterUnderTest.Start();
        using FakeShim shim = FakeShim.Greeted(router);
        using TcpPair pair = TcpPair.Loopback();
        // What the runtime itself takes for code that runs for the first time is no question here.
        Offer(shim, pair, warmUp);
        System.Threading.Thread.Sleep(TimeSpan.FromSeconds(3));
        long before = AnonymousKib(router);
        Offer(shim, pair, offers);
        TestContext.Out.WriteLine($"{before} KiB before, {AnonymousKib(router)} KiB after {offers} offers");
        Assert.That(() => AnonymousKib(router), Is.LessThanOrEqualTo(before + tolerated).After(15_000, 100), "KiB of memory of its own");
        TestContext.Out.WriteLine($"{AnonymousKib(router)} KiB once idle");
    }

    private static void Offer(FakeShim shim, TcpPair pair, uint times)
    {
        for (uint i = 0; i < times; i++)
        {
            shim.Offer(i, pair.Client);
            shim.Withdraw(i);
            // What the router has not read fills its socket, and a send then fails.
            if (i % 16 == 15) Assert.That(shim.HearsNothing());
        }
    }

    /// <summary>Of its own memory, in KiB.</summary>
    internal static long AnonymousKib(RouterUnderTest router) => File.ReadLines($"/proc/{router.Process.Process.Id}/smaps_rollup")
        .Where(line => line.StartsWith("Pss_Anon:", StringComparison.Ordinal))
        .Select(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)).Single();
}
