using System.Collections.Generic;
using FreeFlow.Differential.Programs;
using FreeFlow.Differential.Running;
using NUnit.Framework;

namespace FreeFlow.Differential.Tests;

/// <summary>What random programs have found once, made short, and stays mended whatever the generator makes of their seeds.</summary>
public sealed class KnownProgramTests
{
    private const int Times = 5;

    private static IEnumerable<TestCaseData> Programs()
    {
        yield return Known("ring", "room is reported after the peer's request and the own end of stream",
            "* pair 0 a1 0 b0 0 0 0 0 1", "b0 sendmsg 0 0 1170 1695 3377 0", "a0& recvall 0 -1 20000", "a0 spawn c0 1", "b1 epnew 0 2", "b1 epctl 2 1 0 4 200",
            "b0 shutdown 0 1", "b1 epwait 2 16 0");
        yield return Known("ring", "a registration outlives close in a parent",
            "* pair 0 a1 0 b1 0 1 0 526336 1", "b0 epnew 1 1", "b0 epctl 1 1 0 2147483653 100", "b0 fork c0", "b1 close 0", "b0& epwait 1 16 -1", "a0 send 0 10 0",
            "b0 epwait 1 16 0", "c0 recv 0 4 64", "b0 epwait 1 16 0", "a1 send 0 5 0", "b0 epwait 1 16 0", "c0 close 0", "a1 send 0 5 0", "b0 epwait 1 16 0");
        yield return Known("ring", "the same in a child, not edge-triggered",
            "* pair 0 a1 0 b1 0 0 0 0 1", "b0 epnew 0 1", "b0 epctl 1 1 0 1 100", "b0 fork c0", "c0 close 0", "a0 send 0 10 0", "c0 epwait 1 16 0", "b0 recv 0 20 64",
            "c0 epwait 1 16 0", "a0 shutdown 0 1", "c0 epwait 1 16 0");
        yield return Known("ring", "a registration outlives close when the descriptor was passed",
            "* pair 0 a0 0 b0 0 0 1 0 1", "a0 sendmsg 0 0 1115 0 2693", "a1& recvall 0 -1 20000", "a1 pass 0 b0", "b0 take 1", "a1 epnew 1 1", "a1 epctl 1 1 0 2147483648 100",
            "a0 shutdown 0 2", "a1 fork c0", "a1 close 0", "c0 close 0", "b1 shutdown 0 1", "b1 close 0", "a0 epwait 1 16 0");
        yield return Known("soon", "splice sleeps on a connection that another thread closes",
            "* pair 0 a0 0 b1 0 1 0 0 1", "b1& spliceout 0 49 2", "b0 linger 0 1 0", "b0 close 0", "a1 send 0 36 0");
        yield return Known("ring", "a receive for all ends at urgent data",
            "* pair 0 a0 0 b0 0 0 0 0 1", "a0 send 0 100 0", "b0 recv 0 10 0", "a0 send 0 1 16385", "a0 send 0 50 0", "b0& recv 0 200 256", "b0 recv 0 200 64");
        yield return Known("soon", "a peek sees over a ring that has come and gone",
            "* pair 0 a1 0 b0 0 0 0 0 1", "b1 send 0 300 0", "a1 send 0 300 0", "b1 recv 0 300 0", "a1 recv 0 300 0", "* nap 30", "a1 recv 0 10 64", "b1 send 0 2703 0", "* nap 5",
            "a1& recv 0 12 0", "a0 shutdown 0 1", "b0 recv 0 5 64", "b1 sendmmsg 0 0 3801 3 778", "a0& read 0 2", "a1& recvfrom 0 6738 258");
        yield return Known("soon", "a one-shot registration that has fired stays so when the ring comes",
            "* pair 0 b0 0 a1 0 0 0 2048 1", "a1 epnew 1 1", "a1 epctl 1 1 0 1073750021 100", "a1 epwait 1 16 0", "a1 send 0 1885 0", "b0 send 0 2306 0", "b0 send 0 8901 0",
            "a1 recv 0 1 64", "* nap 30", "a1 recv 0 1 64", "b0 recv 0 1885 0", "b0 send 0 1268 0", "a1& epwait 1 16 -1", "b0 send 0 5074 0", "a0 epctl 1 3 0 1 101", "* join a1");
        yield return Known("ring", "O_NONBLOCK that is set while a call sleeps is for the next one",
            "* pair 0 a0 0 b0 0 0 0 0 1", "b0& recv 0 100 256", "b1 fionbio 0 1", "a0 send 0 40 0", "a0 send 0 60 0");
        yield return Known("ring", "sendfile tells an error that a receive has found",
            "* pair 0 a0 0 b1 0 0 0 0 1", "b1 send 0 291 0", "a0 send 0 10 0", "b1 linger 0 1 0", "b1 close 0", "a0 recv 0 100 64", "a0 sendfile 0 10 0", "a0 send 0 10 16384");
        yield return Known("ring", "poll shows an error that the kernel has told while the ring held bytes",
            "* pair 0 b1 0 a1 0 1 0 0 0", "a1 write 0 1037", "b0 shutdown 0 2", "a1 more 0 2 136", "b0& read 0 2327", "b0 ppoll 0 1 4", "b0 epnew 1 1", "b0 epctl 1 1 0 4 100", "b0 epwait 1 16 0");
        yield return Known("ring", "room is reported to a child whose parent has closed the descriptor",
            "* pair 0 a1 0 b1 0 0 0 524288 1", "b0 dup 0 1", "b1 epnew 0 2", "b1 epctl 2 1 0 8197 200", "b0 fork c0", "b0 close 0", "c0 epwait 2 16 0", "b0 epwait 2 16 0");
        yield return Known("soon", "a signal wakes a receive whose descriptor stands for something else by now",
            "* pair 0 b1 0 a0 0 0 0 0 1", "* pair 1 b0 1 a1 1 0 0 0 0", "a0& sendall 0 1000989 1000000", "b0& recvall 0 1000989 16384", "a0& recvmsg 0 16384 4 2 1 0",
            "b1 writev 1 3002 3236 3572 0 1225", "a1 dup2 1 0", "* signal a0");
        yield return Known("ring", "a peek stops at urgent data behind the ring's bytes",
            "* pair 0 b0 0 a0 0 0 0 0 1", "b0 sendmsg 0 0 194 2423 3688 3700", "b0 send 0 1 16385", "b0 send 0 26 0", "a1& recv 0 16385 34");
        yield return Known("ring", "a call that a signal makes begin anew asks again whether it may wait",
            "* pair 0 a1 0 b1 0 0 0 0 1", "b1 sigmode 1", "b0& recv 0 6086 16384", "b1 fionbio 0 1", "* signal b0", "b1 fionbio 0 0", "a1 send 0 10 0", "b0& recv 0 100 256", "* signal b0");
        yield return Known("ring", "a relative dissolves a connection with unread bytes",
            "* pair 0 a0 0 b1 0 0 0 0 1", "b1 more 0 6614 36", "a1 fork c0", "c0 dissolve 0", "a1 recv 0 282 64", "b0 recv 0 10 64", "b0 send 0 10 16384");
        yield return Known("ring", "an epoll set and a sleeper hear that a connection is dissolved",
            "* pair 0 a1 0 b0 0 0 0 0 1", "a1 dup 0 1", "a0 epnew 1 2", "a0 epctl 2 1 1 2147483649 201", "a1& recv 0 2786 256", "a0 dissolve 1", "a0 epwait 2 16 3", "a0 epctl 2 2 1 0 0");
        yield return Known("ring", "bytes that come after the own shutdown for reading are an edge though they are read",
            "* pair 0 a0 0 b1 0 0 0 0 1", "a1 epnew 0 1", "a1 epctl 1 1 0 2147483651 100", "a0 shutdown 0 0", "a1 epwait 1 16 3", "b0 write 0 50", "a1 recv 0 12772 64", "a1 epwait 1 16 0");
        yield return Known("ring", "an edge of room is told once though the ring is left meanwhile",
            "* pair 0 b1 0 a0 0 1 0 0 0", "a0 pidfdget 0 1", "a1 sendto 0 2 0", "b0& recvall 0 -1 20000", "b0 pass 0 a0", "a1 epnew 1 3", "a1 epctl 3 1 1 2147483653 301",
            "a0 eppwait2 3 16 3", "a1 eppwait 3 16 3");
        yield return Known("soon", "a close that ends nothing yet, because another thread is inside a receive",
            "* pair 0 b1 0 b0 1 0 0 0 1", "b0 sendmsg 1 0 2369 2243", "b1& sysread 0 13143", "b0 send 0 6 0", "b1& recvmsg 0 16384 5", "b0 setfd 0 1", "b0 close 0");
        yield return Known("ring", "a peek that waits for more leaves an error to the next call",
            "* pair 0 a1 0 b1 0 0 0 0 1", "a1 splicein 0 2 0", "b1 send 0 92 0", "b0& recv 0 16 258", "a1 close 0", "b0 sendmmsg 0 0 3781");
        yield return Known("ring", "a registration stays when its number is made to stand for the same socket again",
            "* pair 0 b1 0 a1 0 1 0 526336 1", "a1 epnew 0 1", "a1 epctl 1 1 0 3 100", "a1 dupfd 0 3 1 2", "a1 dup3 2 0 0", "a1 epctl 1 3 0 8193 100", "b1 send 0 10 0", "a1 epwait 1 16 0");
        yield return Known("ring", "a receive for all that sleeps ends at urgent data",
            "* pair 0 b1 0 a0 0 0 0 0 0", "a1& recv 0 1502 256", "b0 send 0 2 0", "b0 send 0 1 16385");
        yield return Known("ring", "a one-shot registration that has fired says nothing of the connection's dissolution",
            "* pair 1 b0 0 a1 1 0 0 0 0", "b0 send 0 10 0", "a1 recv 1 10 0", "a0 epnew 0 2", "a0 epctl 2 1 1 3221225477 201", "a0 epwait 2 16 3", "a1 dissolve 1", "a0 eppwait 2 16 0");
        yield return Known("ring", "a one-shot registration in a polled set keeps its shot if what it was shown for is read",
            "* pair 0 b0 0 a0 0 0 1 0 1", "a0 more 0 21 196", "a0 shutdown 0 0", "a1 ppoll 0 0 4", "a0 send 0 2839 128", "a0 dupfd 0 3 0 1", "b0 epnew 1 1", "b0 epctl 1 1 0 3221225473 100",
            "b1 poll 0 1 64", "b1& read 0 11682", "b1 poll 0 0 8192 1 8193", "a0 sendmmsg 1 0 3097 1916 1320 194", "b0 epwait 1 16 0");
        yield return Known("soon", "bytes behind the own shutdown for reading make a set ready that is polled for the first time",
            "* pair 0 b0 0 b1 1 0 0 0 1", "b1 shutdown 0 0", "b1 more 0 12764 46", "b1 sendmmsg 1 0 1635 0 0 0 654", "b1 epnew 0 2", "b1 epctl 2 1 0 2147491845 200", "b1 eppwait 2 16 0",
            "b1 splicein 1 119 0", "b1 ppoll 0 1 8197 2 5");
        yield return Known("soon", "a peek for all waits on where its ring ends and the kernel goes on",
            "* pair 0 b1 0 a0 0 1 0 0 1", "a0& sendall 0 300544 30000", "b0& recvall 0 300544 100000", "* join a0 b0", "a0 send 0 1986 0", "b1& recv 0 8244 258",
            "a1 setopt 0 rcvlowat 10", "a0 send 0 1000 0", "a0 send 0 6000 0");
    }

    private static TestCaseData Known(string road, string what, params string[] steps) => new TestCaseData(road, steps).SetName($"{{m}}({what})");

    [TestCaseSource(nameof(Programs))]
    public void ItIsAsOverTheKernel(string road, string[] steps)
    {
        using Router router = new();
        using Worker worker = new(Road.Named(road, router.Socket));
        SocketProgram program = new(0, steps);
        List<Difference> differences = [];
        for (int i = 0; i < Times; i++)
        {
            if (worker.Compare(program, out Outcome kernel, out _) is { } difference) differences.Add(difference);
            Assert.That(kernel.Broken, Is.False);
        }
        // One, on a machine that is busy with other things.
        Assert.That(differences, Has.Count.AtMost(1), string.Join('\n', differences));
    }
}
