using System.Threading;
using FreeFlow.Router.Fabric.Streams;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Fabric;

/// <summary>How the work for programs that sleep is shared among their users.</summary>
public sealed class StandInsTests
{
    private const int Wait = 30_000;

    /// <summary>As many attempts as there are that do not come to an end keep one thread, and nobody else.</summary>
    [Test]
    public void AUserWhoseProgramsTakeTheirTimeHoldsUpNobodyElse()
    {
        using ManualResetEventSlim gate = new(), held = new(), served = new();
        using CountdownEvent ended = new(10);
        int inside = 0, most = 0;
        for (int i = 0; i < ended.InitialCount; i++)
        {
            StandIns.Add(4_000_001, () =>
            {
                int now = Interlocked.Increment(ref inside);
                most = most > now ? most : now;
                held.Set();
                gate.Wait();
                Interlocked.Decrement(ref inside);
                ended.Signal();
                return null;
            }, 0);
        }
        try
        {
            Assert.That(held.Wait(Wait), "the first attempt");
            StandIns.Add(4_000_002, () =>
            {
                served.Set();
                return null;
            }, 0);
            Assert.That(served.Wait(Wait), "another user's");
        }
        finally { gate.Set(); }
        Assert.That(ended.Wait(Wait), "all of them come to an end");
        Assert.That(most, Is.EqualTo(1), "threads of one user");
    }

    /// <summary>A fault in one attempt ends that one.</summary>
    [Test]
    public void AFaultEndsOneAttempt()
    {
        using ManualResetEventSlim served = new();
        StandIns.Add(4_000_003, () => throw new System.InvalidOperationException("of this test"), 0);
        StandIns.Add(4_000_003, () =>
        {
            served.Set();
            return null;
        }, 1);
        Assert.That(served.Wait(Wait));
    }
}
