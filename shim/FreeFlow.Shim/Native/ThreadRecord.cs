using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Native;

/// <summary>What the shim keeps per thread; lives in the C glue's thread-local storage, because managed thread statics may allocate.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct ThreadRecord
{
    /// <summary>gettid(2), 0 until first asked.</summary>
    [FieldOffset(0)] public uint ThreadId;

    /// <summary>Raised by the signal glue each time one of the application's handlers has run on this thread.</summary>
    [FieldOffset(4)] public uint SignalsHandled;

    /// <summary>Raised likewise, only for handlers installed without SA_RESTART.</summary>
    [FieldOffset(8)] public uint InterruptingSignals;

    /// <summary>How long this thread may spin next time before it sleeps, in nanoseconds; adapts.</summary>
    [FieldOffset(16)] public ulong SpinNanoseconds;
}
