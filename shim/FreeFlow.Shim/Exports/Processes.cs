using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;
using FreeFlow.Shim.Sockets;
using FreeFlow.Shim.Uring;

namespace FreeFlow.Shim.Exports;

/// <summary>What native/fork.c, native/exec.c and native/exit.c call around fork(2), exec(2), posix_spawn(3) and _exit(2).</summary>
internal static unsafe class ProcessCalls
{
    private const int TableHeld = 1, SessionHeld = 2, Nothing = 4;

    /// <summary>Before the image is replaced. What the next program inherits must be whole in the kernel.</summary>
    [Interpose("void ff_before_exec(void)", Guard = "ff_core_is_open > 0")]
    public static void BeforeExec()
    {
        Inheritance.HandOverAll();
        Registrations.UntagInherited();
    }

    /// <summary>Before libc starts another program by itself: the same, but this process goes on.</summary>
    /// <param name="descriptors">Those that are copied for the other program; afterwards those that a stand-in is to take the place of.</param>
    /// <param name="standIns">Descriptors to be closed when the program has been started.</param>
    /// <param name="count">How many are copied.</param>
    /// <param name="most">The room in both arrays.</param>
    /// <returns>How many stand-ins there are.</returns>
    [Interpose("int ff_before_spawn(int* descriptors, int* standIns, int count, int most)", Guard = "ff_core_is_open > 0")]
    public static int BeforeSpawn(int* descriptors, int* standIns, int count, int most)
    {
        count = SpawnedInheritance.HandOver(descriptors, standIns, count, most);
        Registrations.UntagInherited();
        return count;
    }

    /// <summary>Before the process ends.</summary>
    [Interpose("void ff_before_exit(void)", Guard = "ff_core_is_open > 0")]
    public static void BeforeExit() => Departure.Announce();

    /// <summary>posix_spawn(3) will copy this descriptor for the other program.</summary>
    /// <param name="fd">It may be a connection, or an epoll set.</param>
    /// <param name="atOnce">1: <see cref="BeforeSpawn"/> will not name it.</param>
    [Interpose("void ff_given_away(int fd, int atOnce)", Guard = "FF_FLAGS(fd)")]
    public static void GivenAway(int fd, int atOnce)
    {
        Registrations.GiveAway(fd, Contract.Reason.Exec);
        if (atOnce != 0) _ = SocketCalls.KeepInKernel(fd, Contract.Reason.Exec) || Refill.TryPutBack(fd, Connections.Find(fd));
    }

    /// <summary>Before a fork of any kind: nobody else may be half-way through the tables, and the child is counted. What <see cref="AfterFork"/> has to undo.</summary>
    [Interpose("int ff_before_fork(void)", Guard = "ff_core_is_open > 0")]
    public static int BeforeFork()
    {
        if (Process.IsBorrowedMemory) return Nothing;
        int held = Session.Hold() ? SessionHeld : 0;
        if (ThreadLock.Enter(Connections.LockWord())) held |= TableHeld;
        Connections.AddChildHolders();
        Registrations.NoteFork();
        return held;
    }

    /// <summary>In the parent.</summary>
    /// <param name="held">What <see cref="BeforeFork"/> returned.</param>
    /// <param name="child">The child, −1 if there is none, −2 if it names itself.</param>
    [Interpose("void ff_after_fork(int held, int child)", Guard = "ff_core_is_open > 0")]
    public static void AfterFork(int held, int child)
    {
        if ((held & Nothing) != 0) return;
        if (child != -2) Connections.NameChildHolders(child);
        if ((held & TableHeld) != 0) ThreadLock.Exit(Connections.LockWord());
        if ((held & SessionHeld) != 0) Session.Unhold();
    }

    /// <summary>In the child, which has no other threads and no session yet.</summary>
    [Interpose("void ff_in_child(int named)", Guard = "ff_core_is_open > 0")]
    public static void InChild(int named)
    {
        ThreadLock.ForgetAfterFork();
        Process.Id = Process.Libc->getpid();
        OwnDescriptors.ResetLockAfterFork();
        Connections.ResetLockAfterFork();
        Registrations.ResetLocksAfterFork();
        SubmissionQueues.ResetLocksAfterFork();
        Session.ForgetAfterFork();
        Graveyard.ForgetAfterFork();
        // Inside another pid namespace numbers mean other processes: nobody is known to be dead there.
        if (Process.Libc->getppid() == 0) Connections.MarkForeign();
        else if (named == 0) Connections.NameChildHolders(Process.Id);
    }
}
