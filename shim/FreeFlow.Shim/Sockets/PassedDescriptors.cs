using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Exports;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// Messages that pass descriptors to another process (unix(7), SCM_RIGHTS), which may know nothing of rings: a connection among them must
/// be whole in the kernel. One whose peer cannot send again what is unread goes as a <see cref="Pump"/>'s socket. The control messages are
/// read once, into a copy that the kernel is given, too: the program's own may change or go at any moment.
/// </summary>
internal static unsafe class PassedDescriptors
{
    private const int OnStack = 2048;

    /// <summary>SCM_MAX_FD: the kernel refuses a message with more.</summary>
    private const int MostDescriptors = 253;

    public static nint Send(int fd, MessageHeader* message, int flags)
    {
        byte* onStack = stackalloc byte[OnStack];
        byte* copy = Copy(message, onStack, out bool tooLarge);
        if (tooLarge) return Process.Result(-Linux.ENOMEM);
        if (copy == null) return Process.Libc->sendmsg(fd, message, flags);
        int* pumps = stackalloc int[MostDescriptors];
        int used = 0;
        PassedWalk walk = new(copy, message->ControlLength);
        for (int* passed = walk.Next(); passed != null; passed = walk.Next())
        {
            int pump = HandBack(*passed, mayReplace: used < MostDescriptors);
            if (pump >= 0) *passed = pumps[used++] = pump;
        }
        MessageHeader header = *message;
        header.Control = copy;
        nint sent = Process.Libc->sendmsg(fd, &header, flags);
        int errno = Process.Errno;
        while (used > 0) Process.Libc->close(pumps[--used]);
        Free(copy, message, onStack);
        Process.Errno = errno;
        return sent;
    }

    /// <summary>
    /// Before a message that the kernel sends at a time of its own: the connections it passes go back, and the program's own memory stays
    /// as it is. What cannot go back has a <see cref="Pump"/>'s socket under its number from now on.
    /// </summary>
    public static void BeforeAsynchronous(MessageHeader* message)
    {
        MessageHeader header;
        byte* onStack = stackalloc byte[OnStack];
        if (!CallerMemory.TryRead(message, &header)) return;
        byte* copy = Copy(&header, onStack, out _);
        if (copy == null) return;
        PassedWalk walk = new(copy, header.ControlLength);
        for (int* passed = walk.Next(); passed != null; passed = walk.Next()) RoadCalls.GiveToOthers(*passed, Reason.DescriptorPassed);
        Free(copy, &header, onStack);
    }

    /// <summary>
    /// The control messages; null where there are none, or the kernel finds that it cannot read them, or refuses so many.
    /// </summary>
    private static byte* Copy(MessageHeader* message, byte* onStack, out bool tooLarge)
    {
        nuint bytes = message->ControlLength;
        tooLarge = false;
        if (bytes == 0 || bytes > int.MaxValue) return null;
        if (bytes <= OnStack) return CallerMemory.TryRead(message->Control, onStack, bytes) ? onStack : null;
        if (!CallerMemory.CanRead(message->Control, bytes)) return null;
        byte* copy = (byte*)Process.Reserve(bytes);
        tooLarge = copy == null;
        if (copy == null || CallerMemory.TryRead(message->Control, copy, bytes)) return copy;
        Free(copy, message, onStack);
        return null;
    }

    private static void Free(byte* copy, MessageHeader* message, byte* onStack)
    {
        if (copy != onStack) Process.Libc->munmap(copy, message->ControlLength);
    }

    /// <summary>Hands a connection back to the kernel; a socket to pass in its place, or −1 if its own will do.</summary>
    private static int HandBack(int fd, bool mayReplace)
    {
        ConnectionRecord* record = Connections.Find(fd);
        if (record != null) Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.Passed);
        Registrations.GiveAway(fd, Reason.DescriptorPassed);
        return SocketCalls.KeepInKernel(fd, Reason.DescriptorPassed) || !mayReplace ? -1 : Pump.Start(fd, record);
    }
}
