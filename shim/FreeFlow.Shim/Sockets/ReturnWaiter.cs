using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;

namespace FreeFlow.Shim.Sockets;

/// <summary>Calls that must wait for a sender's return to be complete: what is sent next comes behind it.</summary>
internal static unsafe class ReturnWaiter
{
    private const int Signal = 13, SysTgkill = 234;   // SIGPIPE
    private const int PollMilliseconds = 1;

    /// <summary>Before a send by the kernel: 0 once the return is complete, or −EAGAIN, −EINTR, −EPIPE as the send would say.</summary>
    public static int BeforeSend(int fd, ConnectionRecord* record, int flags)
    {
        ulong deadline = Waiter.Unknown;
        while (!SendReturn.TryAdvance(record, fd))
        {
            if ((Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.SendShutdown) != 0)
            {
                if ((flags & Linux.MSG_NOSIGNAL) == 0) Process.Libc->syscall(SysTgkill, Process.Libc->getpid(), Process.Libc->gettid(), Signal, 0, 0);
                return -Linux.EPIPE;
            }
            if ((flags & Linux.MSG_DONTWAIT) != 0 || Blocking.IsNonBlocking(fd, record))
            {
                Volatile.Write(ref record->SendBlocked, 1);
                Registrations.Heat(record);
                return -Linux.EAGAIN;
            }
            int waited = Waiter.ForReturn(fd, record, ref deadline);
            if (waited < 0) return waited;
            fd = Orphans.Reach(record, fd);
            if (fd < 0) return -Linux.EBADF;
        }
        return 0;
    }

    /// <summary>Before another program gets the socket: true if the kernel has everything in time.</summary>
    public static bool Await(int fd, ConnectionRecord* record, ulong deadline)
    {
        while (!SendReturn.TryAdvance(record, fd))
        {
            if (Process.Now() >= deadline) return false;
            Sleep(fd, record);
        }
        return true;
    }

    /// <summary>Sleeps a moment, or until the kernel takes more.</summary>
    public static void Sleep(int fd, ConnectionRecord* record)
    {
        PollDescriptor wait = new() { Descriptor = fd, Events = ReturnPush.MustWaitForQueue(record, fd) ? (short)0 : Linux.POLLOUT };
        Process.Libc->poll(&wait, 1, PollMilliseconds);
    }
}
