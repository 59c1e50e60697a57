using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Exports;

/// <summary>What native/early.c has noted before the core was open, taken over once it is.</summary>
internal static unsafe class AdoptionCalls
{
    private const int Established = 1, SynSent = 2, CloseWait = 8;   // tcp_states.h

    /// <summary>
    /// Takes over a descriptor that is noted. What a connection has moved so far is read from the kernel: the process has one thread, which waits.
    /// </summary>
    /// <param name="fd">The descriptor.</param>
    /// <param name="flags">Its bits of <see cref="DescriptorFlags"/>.</param>
    /// <param name="messages">Of a connection: how many have gone through it.</param>
    [Interpose("void ff_adopt(int fd, int flags, unsigned messages)", Guard = "1")]
    public static void Adopt(int fd, int flags, uint messages)
    {
        if (!Connections.InRange(fd)) return;
        int errno = Process.Errno;
        if ((flags & DescriptorFlags.Connection) != 0) AdoptConnection(fd, messages);
        else if ((flags & DescriptorFlags.Epoll) != 0) AdoptSet(fd, isShared: (flags & DescriptorFlags.Copied) != 0);
        else Connections.NoteHighest(fd);
        Process.Errno = errno;
    }

    /// <summary>No TCP socket is registered in it yet. One that a relative has, too, was made before a fork.</summary>
    private static void AdoptSet(int epoll, bool isShared)
    {
        ReadinessCalls.Created(epoll);
        int index = Connections.Descriptors[epoll].Instance;
        if (isShared && index != 0) Registrations.Instances[index - 1].Shared = 1;
    }

    private static void AdoptConnection(int fd, uint messages)
    {
        int state = KernelCounters.State(fd), status = Process.Libc->fcntl(fd, Linux.F_GETFL, null);
        // Whatever else stands behind the number now is the kernel's alone.
        if (state is not (Established or SynSent or CloseWait) || status < 0) return;
        ConnectionFlags initial = (status & Linux.O_NONBLOCK) != 0 ? ConnectionFlags.NonBlocking : ConnectionFlags.None;
        ConnectionRecord* record = Connections.Begin(fd, state == SynSent ? initial | ConnectionFlags.Connecting : initial);
        if (record == null) return;
        long sent = KernelCounters.Sent(fd), received = KernelCounters.Consumed(fd);
        if (sent < 0 || received < 0)
        {
            Offering.KeepInKernel(record, Reason.BytesOutOfSight);
            return;
        }
        record->KernelSent = (ulong)sent;
        record->KernelReceived = (ulong)received;
        record->Messages = messages;
    }
}
