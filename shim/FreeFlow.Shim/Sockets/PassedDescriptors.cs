using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Exports;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// Messages that pass descriptors to another process (unix(7), SCM_RIGHTS), which may know nothing of rings: a connection among them must be whole in the
/// kernel. One whose peer cannot send again what is unread goes as a <see cref="Pump"/>'s socket.
/// </summary>
internal static unsafe class PassedDescriptors
{
    private const int HeaderBytes = 16;
    private const int LargestCopy = 2048;   // SCM_MAX_FD descriptors and credentials

    public static nint Send(int fd, MessageHeader* message, int flags)
    {
        byte* copy = stackalloc byte[LargestCopy];
        MessageHeader header = *message;
        bool copied = message->ControlLength <= LargestCopy;
        bool readable = copied ? CallerMemory.TryRead(message->Control, copy, message->ControlLength) : CallerMemory.CanRead(message->Control, message->ControlLength);
        if (!readable) return Process.Libc->sendmsg(fd, message, flags);
        if (copied) header.Control = copy;
        Walk(header.Control, message->Control, header.ControlLength, prepare: true, replace: copied);
        nint sent = Process.Libc->sendmsg(fd, &header, flags);
        int errno = Process.Errno;
        if (copied) Walk(header.Control, message->Control, header.ControlLength, prepare: false, replace: true);
        Process.Errno = errno;
        return sent;
    }

    /// <summary>
    /// Before a message that the kernel sends at a time of its own: the connections it passes go back, and the program's own memory stays as
    /// it is. What cannot go back has a <see cref="Pump"/>'s socket under its number from now on.
    /// </summary>
    public static void BeforeAsynchronous(MessageHeader* message)
    {
        MessageHeader header = default;
        if (!CallerMemory.TryRead(message, &header)) return;
        byte* control = header.Control, end = control + header.ControlLength;
        if (header.ControlLength == 0 || !CallerMemory.CanRead(control, header.ControlLength)) return;
        for (byte* at = control; at + HeaderBytes <= end;)
        {
            ulong length = *(ulong*)at;
            if (length < HeaderBytes || length > (ulong)(end - at)) return;
            if (*(int*)(at + 8) == Linux.SOL_SOCKET && *(int*)(at + 12) == Linux.SCM_RIGHTS)
                for (ulong offset = HeaderBytes; offset + sizeof(int) <= length; offset += sizeof(int))
                    RoadCalls.GiveToOthers(*(int*)(at + offset), Reason.DescriptorPassed);
            at += (length + 7) & ~7UL;
        }
    }

    /// <summary>Before the message: hands connections back, and puts pumps in place of what cannot be. After it: closes this process's copies of the pumps' sockets.</summary>
    private static void Walk(byte* control, byte* original, nuint bytes, bool prepare, bool replace)
    {
        byte* end = control + bytes;
        for (byte* at = control; at + HeaderBytes <= end;)
        {
            ulong length = *(ulong*)at;
            if (length < HeaderBytes || length > (ulong)(end - at)) return;
            if (*(int*)(at + 8) == Linux.SOL_SOCKET && *(int*)(at + 12) == Linux.SCM_RIGHTS)
            {
                for (ulong offset = HeaderBytes; offset + sizeof(int) <= length; offset += sizeof(int))
                {
                    int* passed = (int*)(at + offset);
                    if (!prepare)
                    {
                        if (*passed != *(int*)(original + (at - control) + offset)) Process.Libc->close(*passed);
                        continue;
                    }
                    ConnectionRecord* record = Connections.Find(*passed);
                    if (record != null) Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.Passed);
                    Registrations.GiveAway(*passed, Reason.DescriptorPassed);
                    if (SocketCalls.KeepInKernel(*passed, Reason.DescriptorPassed) || !replace) continue;
                    int pump = Pump.Start(*passed, record);
                    if (pump >= 0) *passed = pump;
                }
            }
            at += (length + 7) & ~7UL;
        }
    }
}
