using System.Runtime.Intrinsics.X86;
using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <summary>
/// Bounded, adaptive spinning before sleep (design, principle 6). A wait that turned out short doubles the thread's next budget, a long one halves it;
/// the processor is offered to others in between, so that a peer on the same one can run.
/// <para>
/// Where more threads want to run than there are processors, that offer is dear: who yields is put behind all others (since Linux 6.18 by a whole slice), where one that sleeps is let in as
/// soon as it is woken. So a process whose offer was taken by somebody with work of his own does without spinning for a while, in all its threads.
/// </para>
/// </summary>
internal unsafe struct Spinner
{
    /// <summary>A wait shorter than this, sleep and wake-up included, would have been met by spinning.</summary>
    private const ulong ShortWaitNanoseconds = 200_000;
    private const ulong SmallestBudget = 1_000;
    private const ulong FirstBudget = 20_000;

    /// <summary>A peer that runs when the processor is offered sleeps again soon: whoever takes it for longer has work of its own.</summary>
    private const ulong TurnNanoseconds = 300_000;

    /// <summary>So many times as long as the turn has taken nobody spins: what it costs is a small share of the time.</summary>
    private const ulong CalmFactor = 16;

    /// <summary>Read at once behind a mirrored ring, a part of a stream rather than an answer.</summary>
    private const nuint StreamBytes = 4096;

    private const uint RoundsPerClock = 16;
    private const uint RoundsPerYield = 64;
    private const uint RoundsPerYieldToRouters = 16;
    private const uint RoundsPerLookAtKernel = 512;

    private static ulong s_crowdedUntil;

    private readonly ThreadRecord* _thread;
    private readonly ulong _start;
    private readonly ulong _budget;
    private readonly uint _roundsPerYield;
    private uint _rounds;

    public Spinner(ThreadRecord* thread)
    {
        _thread = thread;
        if (Settings.SpinNanoseconds == 0) return;
        if (thread->SpinNanoseconds == 0) thread->SpinNanoseconds = FirstBudget;
        _start = Process.Now();
        _roundsPerYield = thread->AwaitsRouters != 0 ? RoundsPerYieldToRouters : RoundsPerYield;
        _budget = _start < Volatile.Read(ref s_crowdedUntil) ? 0 : thread->SpinNanoseconds;
        // A program that is always busy never comes to sleep.
        Session.Glance(_start);
    }

    /// <summary>One pause; false when the budget is used up.</summary>
    public bool Continue()
    {
        if (_budget == 0) return false;
        X86Base.Pause();
        if (++_rounds % RoundsPerClock != 0) return true;
        ulong now = Process.Now();
        if (_rounds % _roundsPerYield == 0)
        {
            ulong offered = now;
            Process.Libc->sched_yield();
            now = Process.Now();
            ulong turn = now - offered;
            if (turn > TurnNanoseconds) Volatile.Write(ref s_crowdedUntil, now + (turn * CalmFactor));
        }
        return now - _start < _budget;
    }

    /// <summary>
    /// After a read from a ring, for the thread's next waits. Behind a mirrored one two routers must run before anything comes: to an answer they look themselves (docs/fabric.md), so they are offered the
    /// processor sooner; more of a stream is worth no spinning, and later there is more of it at once.
    /// </summary>
    public static void AfterRead(ConnectionRecord* connection, ThreadRecord* thread, nuint bytes)
    {
        bool mirrored = ReturnMark.IsMirrored(connection);
        thread->AwaitsRouters = mirrored ? 1u : 0;
        if (mirrored && bytes >= StreamBytes) thread->SpinNanoseconds = SmallestBudget;
    }

    /// <summary>True about every few microseconds of spinning: time for a look at what only the kernel knows.</summary>
    public readonly bool KernelIsDue => _rounds % RoundsPerLookAtKernel == 0;

    /// <summary>After the wait has ended, by spinning or by sleeping.</summary>
    public readonly void Adapt()
    {
        if (_budget == 0) return;
        ulong waited = Process.Now() - _start;
        ulong next = waited < ShortWaitNanoseconds ? _budget * 2 : _budget / 2;
        if (next > Settings.SpinNanoseconds) next = Settings.SpinNanoseconds;
        _thread->SpinNanoseconds = next < SmallestBudget ? SmallestBudget : next;
    }
}
