using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Exports;

/// <summary>fork(2): the child holds every connection too, and has no session with the router until it needs one.</summary>
internal static unsafe class ProcessCalls
{
    [Interpose("int fork(void)", Guard = "ff_core_is_open", Aliases = "__fork _Fork")]
    public static int Fork()
    {
        if (Process.IsBorrowedMemory) return Process.Libc->fork();
        bool session = Session.Hold();
        bool table = ThreadLock.Enter(Connections.LockWord());
        Connections.AddChildHolders();
        int child = Process.Libc->fork();
        if (child == 0)
        {
            Process.CurrentThread()->ThreadId = 0;
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
