using System.Runtime.Intrinsics.X86;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Readiness;

/// <summary>
/// Bounded, adaptive spinning before sleep (design, principle 6). A wait that turned out short doubles the thread's next budget, a long one halves it;
/// the processor is offered to others in between, so that a peer on the same one can run.
/// </summary>
internal unsafe struct Spinner
{
    /// <summary>A wait shorter than this, sleep and wake-up included, would have been met by spinning.</summary>
    private const ulong ShortWaitNanoseconds = 200_000;
    private const ulong SmallestBudget = 1_000;
    private const ulong FirstBudget = 20_000;
    private const uint RoundsPerClock = 16;
    private const uint RoundsPerYield = 64;

    private readonly ThreadRecord* _thread;
    private readonly ulong _start;
    private readonly ulong _budget;
    private uint _rounds;

    public Spinner(ThreadRecord* thread)
    {
        _thread = thread;
        if (Settings.SpinNanoseconds == 0) return;
        if (thread->SpinNanoseconds == 0) thread->SpinNanoseconds = FirstBudget;
        _budget = thread->SpinNanoseconds;
        _start = Process.Now();
        // A program that is always busy never comes to sleep.
        Session.Glance(_start);
    }

    /// <summary>One pause; false when the budget is used up.</summary>
    public bool Continue()
    {
        if (_budget == 0) return false;
        X86Base.Pause();
        if (++_rounds % RoundsPerClock != 0) return true;
        if (_rounds % RoundsPerYield == 0) Process.Libc->sched_yield();
        return Process.Now() - _start < _budget;
    }

    /// <summary>True about every few microseconds of spinning: time for a look at what only the kernel knows.</summary>
    public readonly bool KernelIsDue => _rounds % (RoundsPerYield * 8) == 0;

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
