using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Native;

/// <summary>What the shim keeps per thread; lives in the C glue's thread-local storage, because managed thread statics may allocate.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal unsafe struct ThreadRecord
{
    /// <summary>gettid(2), 0 until first asked.</summary>
    [FieldOffset(0)] public uint ThreadId;

    /// <summary>Raised by the signal glue each time one of the application's handlers has run on this thread.</summary>
    [FieldOffset(4)] public uint SignalsHandled;

    /// <summary>Raised likewise, only for handlers installed without SA_RESTART.</summary>
    [FieldOffset(8)] public uint InterruptingSignals;

    /// <summary>Depth of critical sections this thread is in; signal handlers wait while it is not 0 (native/signals.c).</summary>
    [FieldOffset(12)] public uint Inside;

    /// <summary>How long this thread may spin next time before it sleeps, in nanoseconds; adapts.</summary>
    [FieldOffset(16)] public ulong SpinNanoseconds;

    /// <summary>The signal whose handler waits, 0 if none.</summary>
    [FieldOffset(24)] public uint Deferred;

    /// <summary>Not 0: what the thread read last came from another host (<see cref="Readiness.Spinner.AfterRead"/>).</summary>
    [FieldOffset(28)] public uint AwaitsRouters;

    /// <summary>The counter of sleepers this thread has raised, see <see cref="Sleeper"/>; null if none.</summary>
    [FieldOffset(32)] public int* Sleeping;
    [FieldOffset(40)] public int* SleepingHere;
}
