using System.Collections.Generic;
using System.Linq;
using FreeFlow.Differential.Programs;
using FreeFlow.Differential.Running;
using NUnit.Framework;

namespace FreeFlow.Differential.Tests;

/// <summary>The same between two hosts: mirrored rings through two real routers and the fabric between them, against the overlay's kernel TCP.</summary>
public sealed class TwoHostTests
{
    private const int Times = 3;
    private TwoHosts _hosts = null!;

    private static IEnumerable<TestCaseData> Programs()
    {
        yield return Known("two-hosts", "a mark that nobody has read makes no reset of a close",
            "* pair 1 b0 1 a0 1 0 0 2048 1", "a1 shutdown 1 1", "b1 close 1", "a0 sendmsg 1 0 0 0");
        yield return Known("two-hosts", "who is shut down both ways reads on in its ring, and gets no mark",
            "* pair 1 b0 2 a0 0 0 0 0 1", "a1 sendto 0 12210 0", "b1 shutdown 2 2", "a1 sendmsg 0 0 3718 3158", "b0 recv 2 20000 0");
        yield return Known("two-hosts", "a sender learns that its peer is shut down both ways",
            "* pair 0 a0 0 b0 0 1 1 524288 1", "b0 shutdown 0 1", "b1 shutdown 0 0", "a0 more 0 4618 35");
        yield return Known("two-hosts", "the end of the stream is told before the ring is read",
            "* pair 0 b1 0 a1 0 1 0 2048 1", "a0 writev 0 570", "a0 shutdown 0 1", "b0 ppoll 0 0 8193", "b0 recv 0 600 0", "b0 ppoll 0 0 8193");
        yield return Known("two-hosts", "a reset is told to the child that inherits the connection",
            "* pair 0 a1 0 b0 0 0 0 2048 1", "b0 linger 0 1 0", "b0 close 0", "a0 spawn c0 0", "c0 write 0 951");
        yield return Known("two-hosts", "room is reported after the own end of stream that leaves the ring",
            "* pair 0 a0 0 b0 0 0 0 0 0", "a1 epnew 1 2", "a1 epctl 2 1 0 8197 200", "a1 more 0 4417 96", "a0 shutdown 0 1", "a1 epwait 2 16 0");
        yield return Known("two-hosts", "a spawned program ends a stream that never was in a ring",
            "* pair 1 a0 0 b1 0 1 1 2048 1", "a0 spawn c1 0", "c1 shutdown 0 1", "b0 recvfrom 0 3027 0");
        yield return Known("two-hosts", "an error that a request for the kernel's road finds is told to the program",
            "* pair 0 a1 0 b0 0 0 0 0 1", "a1 send 0 2 0", "b0 sendfile 0 56 100", "b0 close 0", "a0 setopt 0 rcvlowat 10", "a1 sendfile 0 2246 0");
        yield return Known("two-hosts-soon", "a peek and FIONREAD see more than 16 KiB while the reader waits for its ring",
            "* pair 0 a0 0 b0 0 0 0 0 1", "a0 send 0 40000 0", "b0 recv 0 50000 2", "b0 fionread 0", "b0 recv 0 50000 0");
        yield return Known("two-hosts", "a spawned program without the library reads what a peer that sleeps elsewhere has sent, and no mark",
            "* pair 0 a0 0 b1 0 0 0 2048 1", "a0 send 0 22 0", "b1 spawn c0 1", "a0 write 0 14809", "c0& recv 0 14831 256");
        yield return Known("two-hosts", "the same from a peer's child, which alone has the connection",
            "* pair 0 a0 0 b1 0 0 0 2048 1", "a0 fork c0", "a0 close 0", "c0 send 0 22 0", "b1 spawn c1 1", "c0 write 0 14809", "c1& recv 0 14831 256");
        yield return Known("two-hosts", "the same after exec",
            "* pair 0 a0 0 b1 0 0 0 2048 1", "b1 fork c0", "b1 close 0", "a0 send 0 22 0", "c0 exec 1", "a0 write 0 14809", "c0& recv 0 14831 256");
    }

    private static TestCaseData Known(string road, string what, params string[] steps) => new TestCaseData(road, steps).SetName($"{{m}}({what})");

    [OneTimeSetUp]
    public void Up() => _hosts = new();

    [OneTimeTearDown]
    public void Down() => _hosts.Dispose();

    [TestCaseSource(nameof(Programs))]
    public void ItIsAsOverTheOverlay(string road, string[] steps)
    {
        using Worker worker = new(Road.Between(road, _hosts));
        SocketProgram program = new(0, steps);
        List<Difference> differences = [.. Enumerable.Range(0, Times).Select(_ => worker.Compare(program, out Outcome _, out Outcome _)).OfType<Difference>()];
        // One, on a machine that is busy with other things.
        Assert.That(differences, Has.Count.AtMost(1), string.Join('\n', differences));
    }

    /// <summary>
    /// The peer does not answer, and nobody may do it for it: the request is withdrawn while the peer begins to send again, and what comes then is read by a program that knows
    /// of the kernel only, through one that knows of marks.
    /// </summary>
    [Test]
    public void ARequestThatIsWithdrawnBringsNoMark()
    {
        using TwoHosts hosts = new(mayBorrow: false);
        using Worker worker = new(Road.Between("two-hosts", hosts));
        SocketProgram program = new(0, ["* pair 0 a0 0 b1 0 0 0 2048 1", "a0 send 0 100 0", "b1 recv 0 100 0", "b1 fork c0", "b1 close 0", "a0 send 0 22 0", "c0 exec 1", "a0 write 0 14809", "c0& recv 0 14831 256", "a0 send 0 100 0", "c0& recv 0 100 256"]);
        List<Difference> differences = [.. Enumerable.Range(0, Times).Select(_ => worker.Compare(program, out Outcome _, out Outcome _)).OfType<Difference>()];
        Assert.That(differences.Where(difference => !difference.IsOnlyOfTime), Is.Empty);
        Assert.That(differences, Has.Count.AtMost(1), "the request is withdrawn in time");
        Assert.That(worker.RingBytes, Is.GreaterThan(0), "bytes that went through rings");
    }

    /// <summary>Two may part now and then, on a machine that is busy with other things.</summary>
    [TestCase("two-hosts-soon", 3000, 40)]
    [Explicit("For a longer look: passing descriptors, and peeks of more than 16 KiB, still part.")]
    public void RandomProgramsAreAsOverTheOverlay(string road, int seed, int count)
    {
        Campaign campaign = new() { Seed = seed, Count = count, Enough = 3, Shrink = false };
        IReadOnlyList<Failure> failures = campaign.Run(Road.Between(road, _hosts));
        TestContext.Out.WriteLine(campaign);
        Assert.That(failures.Where(failure => failure.IsSteady), Is.Empty, string.Join('\n', failures));
        Assert.That(failures, Has.Count.AtMost(2), string.Join('\n', failures));
        Assert.That(campaign.RingBytes, Is.GreaterThan(0), "bytes that went through rings");
    }
}
