using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>Where urgent data begins, which a read never crosses (tcp(7)).</summary>
internal static unsafe class UrgentMark
{
    /// <summary>True if what the kernel has next is urgent data, which a read never crosses (tcp(7)).</summary>
    public static bool IsNext(int fd, ConnectionRecord* record)
    {
        RingBlockHeader* incoming = Block.Incoming(record);
        uint handover = Volatile.Read(ref incoming->Handover);
        DirectionPhase phase = Gate.Phase(&record->ReceiveGate);
        if (phase == DirectionPhase.Ring && handover != (uint)HandoverState.Back) return false;
        // The ring's bytes come first.
        if (phase is DirectionPhase.Ring or DirectionPhase.Ready && handover >= (uint)HandoverState.Ring && RingReader.Available(record, incoming) != 0) return false;
        return IsNextInKernel(fd);
    }

    /// <summary>True if there is urgent data, which may have been passed over long ago: it wakes nobody then.</summary>
    public static bool IsThere(int fd)
    {
        PollDescriptor look = new() { Descriptor = fd, Events = Linux.POLLPRI };
        return Process.Libc->poll(&look, 1, 0) > 0 && (look.Returned & Linux.POLLPRI) != 0;
    }

    /// <summary>True if the next byte that the kernel has is the one behind the mark.</summary>
    public static bool IsNextInKernel(int fd)
    {
        int mark = 0;
        Process.Libc->ioctl(fd, Linux.SIOCATMARK, &mark);
        return mark != 0;
    }
}
