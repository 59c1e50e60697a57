using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;
using FreeFlow.Shim.Uring;

namespace FreeFlow.Shim.Sockets;

/// <summary>A small process that stays behind to finish what the program does not wait for: a <see cref="Pump"/>, or a return (<see cref="ReturnFinisher"/>).</summary>
internal static unsafe class LeftBehind
{
    private const int SysClone = 56, SysWait4 = 61, SysChdir = 80, SysSetSid = 112, SysPrctl = 157, SysExitGroup = 231, SysCloseRange = 436;
    private const int WaitClone = unchecked((int)0x80000000);   // __WCLONE: a child that ends without a signal
    private const int SetName = 15;   // PR_SET_NAME

    /// <summary>Starts it; <paramref name="here"/> is true in it. Neither libc's handlers nor a signal to the program: it is nobody's business, and adopted by init.</summary>
    public static bool Start(out bool here)
    {
        here = false;
        int child = (int)Process.Libc->syscall(SysClone, 0, 0, 0, 0, 0);
        if (child == 0)
        {
            if (Process.Libc->syscall(SysClone, 0, 0, 0, 0, 0) != 0) Exit();
            here = true;
            return true;
        }
        int status;
        while (child > 0 && Process.Libc->syscall(SysWait4, child, (nint)(&status), WaitClone, 0, 0) < 0 && Process.Errno == Linux.EINTR) { }
        return child > 0;
    }

    /// <summary>Lets go of everything that is the program's: descriptors, folder, terminal, signals.</summary>
    public static void Become(int fd, int pipe, int doorbell)
    {
        ulong all = ulong.MaxValue;
        Process.Libc->pthread_sigmask(Linux.SIG_BLOCK, &all, null);
        ThreadLock.ForgetAfterFork();
        Process.Id = Process.Libc->getpid();
        OwnDescriptors.ResetLockAfterFork();
        Connections.ResetLockAfterFork();
        Registrations.ResetLocksAfterFork();
        SubmissionQueues.ResetLocksAfterFork();
        Session.ForgetAfterFork();
        fixed (byte* root = "/\0"u8) Process.Libc->syscall(SysChdir, (nint)root, 0, 0, 0, 0);
        fixed (byte* name = "freeflow-pump\0"u8) Process.Libc->syscall(SysPrctl, SetName, (nint)name, 0, 0, 0);
        Process.Libc->syscall(SysSetSid, 0, 0, 0, 0, 0);
        CloseAllBut(fd, pipe, doorbell, Family.Descriptor);
        if (SubmissionQueues.Used != 0 || Offering.AnotherRoad) InheritedRings.Unmap();
        // The program's other connections are not this process's to go on with.
        uint own = (uint)Connections.IndexOf(Connections.Find(fd));
        for (uint i = 0; i < Family.Header->RecordsUsed; i++) if (i != own) Connections.Local[i].FirstDescriptor = 0;
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

    public static void Exit() => Process.Libc->syscall(SysExitGroup, 0, 0, 0, 0, 0);
}
