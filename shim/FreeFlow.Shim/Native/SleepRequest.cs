using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Native;

/// <summary>struct ff_sleep of native/freeflow.h: one sleeping system call.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SleepRequest
{
    /// <summary>For <see cref="Milliseconds"/>: the time is in <see cref="Timeout"/>.</summary>
    public const int UseTimeout = -2;

    /// <summary>The epoll set, or −1 for poll.</summary>
    public int Epoll;
    /// <summary>The thread's count of handled signals when its caller last looked.</summary>
    public uint SignalsSeen;
    public void* Events;
    public ulong Count;
    /// <summary>Null for ever.</summary>
    public TimeSpec* Timeout;
    /// <summary>Null for the thread's own.</summary>
    public ulong* Mask;
    public int Milliseconds;
}
