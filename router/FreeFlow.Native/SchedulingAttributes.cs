using System.Runtime.InteropServices;

namespace FreeFlow.Native;

/// <summary>struct sched_attr, as it was at first (sched_setattr(2)).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SchedulingAttributes
{
    /// <summary>SCHED_FLAG_RESET_ON_FORK: threads and processes that are made begin as usual.</summary>
    public const ulong ResetOnFork = 1;

    public uint Size;
    public uint Policy;
    public ulong Flags;
    public int Nice;
    public uint Priority;

    /// <summary>Without a deadline's policy: the slice, from Linux 6.12 on.</summary>
    public ulong Runtime;
    public ulong Deadline;
    public ulong Period;
}
