using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// The last resort for a program that takes over a connection whose ring it cannot read, when the peer cannot send again what is unread there, because it has ended its
/// stream, or does not answer: a small process stays behind that carries the bytes between the connection and a Unix socket, which the program gets in its place.
/// </summary>
internal static unsafe class Pump
{
    private const int SysClone = 56, SysWait4 = 61, SysChdir = 80, SysSetSid = 112, SysPrctl = 157, SysExitGroup = 231, SysCloseRange = 436;
    private const int WaitClone = unchecked((int)0x80000000);   // __WCLONE: a child that ends without a signal
    private const int SetName = 15;   // PR_SET_NAME

    /// <summary>The descriptor to use in place of <paramref name="fd"/>, close-on-exec; −1 if there can be none.</summary>
    public static int Start(int fd, ConnectionRecord* record)
    {
        int* ends = stackalloc int[2];
        if ((record->Flags & (uint)ConnectionFlags.Pumped) != 0) return -1;
        if (Process.Libc->socketpair(Linux.AF_UNIX, Linux.SOCK_STREAM | Linux.SOCK_CLOEXEC, 0, ends) != 0) return -1;
        Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.Pumped);
        Interlocked.Increment(ref record->MoreHolders);
        // Neither libc's handlers nor a signal to the program: this child is nobody's business. Its own child is adopted by init.
        int child = (int)Process.Libc->syscall(SysClone, 0, 0, 0, 0, 0);
        if (child == 0)
        {
            if (Process.Libc->syscall(SysClone, 0, 0, 0, 0, 0) != 0) Exit();
            Become(fd, record, ends[0]);
            Carry(fd, record, ends[0]);
            Connections.Closing(fd);
            Exit();
        }
        Process.Libc->close(ends[0]);
        if (child < 0)
        {
            Process.Libc->close(ends[1]);
            Interlocked.Decrement(ref record->MoreHolders);
            return -1;
        }
        int status;
        while (Process.Libc->syscall(SysWait4, child, (nint)(&status), WaitClone, 0, 0) < 0 && Process.Errno == Linux.EINTR) { }
        return ends[1];
    }

    /// <summary>Lets go of everything that is the program's: descriptors, folder, terminal, signals.</summary>
    private static void Become(int fd, ConnectionRecord* record, int pipe)
    {
        ulong all = ulong.MaxValue;
        Process.Libc->pthread_sigmask(Linux.SIG_BLOCK, &all, null);
        ThreadLock.ForgetAfterFork();
        Process.Id = Process.Libc->getpid();
        OwnDescriptors.ResetLockAfterFork();
        Connections.ResetLockAfterFork();
        Registrations.ResetLocksAfterFork();
        Session.ForgetAfterFork();
        Holders.Name(record, Process.Id);
        fixed (byte* root = "/\0"u8) Process.Libc->syscall(SysChdir, (nint)root, 0, 0, 0, 0);
        fixed (byte* name = "freeflow-pump\0"u8) Process.Libc->syscall(SysPrctl, SetName, (nint)name, 0, 0, 0);
        Process.Libc->syscall(SysSetSid, 0, 0, 0, 0, 0);
        CloseAllBut(fd, pipe, record->Doorbell, Family.Descriptor);
    }

    private static void CloseAllBut(int a, int b, int c, int d)
    {
        for (uint next = 0, keep = 0; keep != uint.MaxValue; next = keep + 1)
        {
            // The lowest one to keep that has not been passed yet.
            keep = uint.MaxValue;
            if ((uint)a >= next && (uint)a < keep) keep = (uint)a;
            if ((uint)b >= next && (uint)b < keep) keep = (uint)b;
            if ((uint)c >= next && (uint)c < keep) keep = (uint)c;
            if ((uint)d >= next && (uint)d < keep) keep = (uint)d;
            uint last = keep - (keep == uint.MaxValue ? 0u : 1u);
            if (keep <= next || Process.Libc->syscall(SysCloseRange, (nint)next, (nint)last, 0, 0, 0) == 0) continue;
            // Linux before 5.9.
            for (uint fd = next; fd <= last && fd < DescriptorFlags.Capacity; fd++) Process.Libc->close((int)fd);
        }
    }

    private static void Carry(int fd, ConnectionRecord* record, int pipe)
    {
        PumpBuffer inward = new(), outward = new();
        PollDescriptor* wait = stackalloc PollDescriptor[2];
        bool gone = false;
        while (!outward.IsDone || !(inward.IsDone || gone))
        {
            short connection = (short)((inward.WantsMore && !gone ? Linux.POLLIN : 0) | (outward.HasBytes ? Linux.POLLOUT : 0));
            short program = (short)((outward.WantsMore ? Linux.POLLIN : 0) | (inward.HasBytes ? Linux.POLLOUT : 0));
            wait[0] = new PollDescriptor { Descriptor = connection == 0 ? -1 : fd, Events = connection };
            wait[1] = new PollDescriptor { Descriptor = gone && !outward.WantsMore ? -1 : pipe, Events = program };
            int ready = Poller.Poll(wait, 2, Sleep.Forever, null);
            if (ready is < 0 and not -Linux.EINTR) return;
            // Whoever has the program's end has closed it, not only shut down its output: no end of stream is passed on, there may be other descriptors.
            gone |= (wait[1].Returned & Linux.POLLHUP) != 0;
            if (inward.WantsMore && !gone) inward.Fill(fd, record);
            if (outward.WantsMore) outward.Fill(pipe, null);
            if (!gone && !inward.Empty(pipe, null, last: true)) gone = true;
            if (!outward.Empty(fd, record, last: !gone)) return;
        }
    }

    private static void Exit() => Process.Libc->syscall(SysExitGroup, 0, 0, 0, 0, 0);
}
