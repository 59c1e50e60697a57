using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Exports;

/// <summary>fork(2): the child holds every connection too, and has no session with the router until it needs one.</summary>
internal static unsafe class ProcessCalls
{
    /// <summary>
    /// Called by the exec family before the image is replaced. What the next program inherits must be whole in the kernel: connections on standard
    /// input and output, and those that no other process of the family holds. (One that a parent holds too is almost always inherited by oversight,
    /// and the parent goes on using it.)
    /// </summary>
    [Interpose("void ff_before_exec(void)", Guard = "ff_core_is_open > 0")]
    public static void BeforeExec()
    {
        bool borrowed = Process.IsBorrowedMemory;
        for (int fd = 0; fd < DescriptorFlags.Capacity; fd++)
        {
            // Tables are sparse: whole pages of zeroes are passed over eight at a time.
            if (fd % 8 == 0 && *(ulong*)(Process.Flags + fd) == 0) { fd += 7; continue; }
            if ((Process.Flags[fd] & DescriptorFlags.Connection) == 0) continue;
            Contract.Layout.ConnectionRecord* record = Connections.Find(fd);
            int flags = Process.Libc->fcntl(fd, Linux.F_GETFD, null);
            if (record == null || flags < 0 || (flags & Linux.FD_CLOEXEC) != 0) continue;
            if (fd <= 2 || (!borrowed && Holders.IsSole(record))) SocketCalls.KeepInKernel(fd, Contract.Reason.Exec);
        }
    }

    [Interpose("int fork(void)", Guard = "ff_core_is_open > 0", Aliases = "__fork _Fork")]
    public static int Fork()
    {
        if (Process.IsBorrowedMemory) return Process.Libc->fork();
        bool session = Session.Hold();
        bool table = ThreadLock.Enter(Connections.LockWord());
        Connections.AddChildHolders();
        int child = Process.Libc->fork();
        if (child == 0)
        {
            ThreadLock.ForgetAfterFork();
            Process.Id = Process.Libc->getpid();
            Connections.ResetLockAfterFork();
            Registrations.ResetLocksAfterFork();
            Session.ForgetAfterFork();
            Graveyard.ForgetAfterFork();
            return 0;
        }
        Connections.NameChildHolders(child);
        if (table) ThreadLock.Exit(Connections.LockWord());
        if (session) Session.Unhold();
        return child;
    }
}
