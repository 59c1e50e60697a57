using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// SO_RCVTIMEO and SO_SNDTIMEO (socket(7)). A negative time means that a call does not wait at all, and getsockopt(2) answers 0 for it, as for no time-out: so
/// setsockopt(2) notes it. All others are read back from the kernel.
/// </summary>
internal static unsafe class SocketTimeouts
{
    private const ConnectionFlags Both = ConnectionFlags.ReceivesAtOnce | ConnectionFlags.SendsAtOnce;

    /// <summary>A deadline that has passed.</summary>
    private const ulong Passed = 1;

    public static bool IsOption(int option) => option is Linux.SO_RCVTIMEO or Linux.SO_SNDTIMEO or Linux.SO_RCVTIMEO_NEW or Linux.SO_SNDTIMEO_NEW;

    /// <summary>The kernel has accepted <paramref name="value"/>.</summary>
    public static void Changed(int fd, int option, TimeValue* value)
    {
        TimeValue time;
        if (!Connections.InRange(fd) || Process.Copy(&time, value, (nuint)sizeof(TimeValue)) != 0) return;
        ConnectionFlags flag = option is Linux.SO_RCVTIMEO or Linux.SO_RCVTIMEO_NEW ? ConnectionFlags.ReceivesAtOnce : ConnectionFlags.SendsAtOnce;
        ConnectionRecord* record = Connections.Find(fd);
        if (record != null && time.Seconds < 0) Interlocked.Or(ref record->Flags, (uint)flag);
        else if (record != null) Interlocked.And(ref record->Flags, ~(uint)flag);
        else Note(fd, flag, time.Seconds < 0);
    }

    /// <summary>Whatever number it was set by, the socket has it.</summary>
    private static void Note(int fd, ConnectionFlags flag, bool on)
    {
        bool was = (Connections.Descriptors[fd].Timeouts & flag) != 0, copied = (Process.Flags[fd] & DescriptorFlags.Copied) != 0;
        if (was == on) return;
        for (int twin = fd; twin >= 0; twin = copied ? Connections.NextTwin(fd, twin == fd ? -1 : twin) : -1)
        {
            if (on) Connections.Descriptors[twin].Timeouts |= flag;
            else Connections.Descriptors[twin].Timeouts &= ~flag;
        }
    }

    /// <summary>What a connection has from the socket that it was made of, or from the listener that it was accepted on.</summary>
    public static void Inherit(ConnectionRecord* record, int from)
    {
        if (Connections.InRange(from) && Connections.Descriptors[from].Timeouts != 0) Interlocked.Or(ref record->Flags, (uint)Connections.Descriptors[from].Timeouts);
    }

    /// <summary>The socket has no connection any more, and keeps its options.</summary>
    public static void Keep(int fd, uint flags) => Connections.Descriptors[fd].Timeouts = (ConnectionFlags)flags & Both;

    /// <summary>When a call that begins to wait now has to end; <see cref="Sleep.Forever"/> without a time-out.</summary>
    public static ulong Deadline(int fd, ConnectionRecord* record, int option)
    {
        ConnectionFlags flag = option == Linux.SO_RCVTIMEO ? ConnectionFlags.ReceivesAtOnce : ConnectionFlags.SendsAtOnce;
        if ((Volatile.Read(ref record->Flags) & (uint)flag) != 0) return Passed;
        TimeValue time;
        uint length = (uint)sizeof(TimeValue);
        if (Process.Libc->getsockopt(fd, Linux.SOL_SOCKET, option, &time, &length) != 0 || (time.Seconds == 0 && time.Microseconds == 0)) return Sleep.Forever;
        return Sleep.LimitedDeadline(Sleep.FromTimeSpec(new TimeSpec { Seconds = time.Seconds, Nanoseconds = time.Microseconds * 1000 }));
    }
}
