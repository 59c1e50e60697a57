using System.Threading;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <content>
/// Instances that are closed while threads sleep in them: as in the kernel, whose call holds the open file, they live on until the last of these waits has returned. The
/// number may stand for something else by then.
/// </content>
internal static unsafe partial class Registrations
{
    /// <summary>Before a thread's first sleep in a wait; the wait calls <see cref="LeaveWait"/> when it returns.</summary>
    public static void EnterWait(EpollInstance* instance) => Interlocked.Increment(ref instance->Inside);

    public static void LeaveWait(EpollInstance* instance)
    {
        if (Interlocked.Decrement(ref instance->Inside) > 0 || Volatile.Read(ref instance->Kept) == 0) return;
        bool locked = ThreadLock.Enter(Connections.LockWord());
        if (instance->Kept != 0 && Volatile.Read(ref instance->Inside) <= 0)
        {
            OwnDescriptors.Close(instance->Epoll);
            Forget(instance);
        }
        if (locked) ThreadLock.Exit(Connections.LockWord());
    }

    /// <summary>The number by which a thread inside a wait reaches the kernel's set.</summary>
    public static int Reach(EpollInstance* instance, int epoll) => Volatile.Read(ref instance->Kept) != 0 ? instance->Epoll : epoll;

    /// <summary>The last descriptor is about to be closed: true if somebody is inside, and the instance stays.</summary>
    private static bool Keep(EpollInstance* instance, int closing)
    {
        if (Volatile.Read(ref instance->Inside) <= 0) return false;
        int kept = OwnDescriptors.Duplicate(closing);
        if (kept < 0) return false;
        instance->Epoll = kept;
        Interlocked.Exchange(ref instance->Kept, 1);
        // Whoever has left before that did not see it; who leaves from now on waits for the lock.
        if (Volatile.Read(ref instance->Inside) > 0) return true;
        instance->Kept = 0;
        OwnDescriptors.Close(kept);
        return false;
    }

    /// <summary>Nobody has the instance any more.</summary>
    private static void Forget(EpollInstance* instance)
    {
        while (instance->FirstRegistration != 0) Remove(instance->FirstRegistration, kernel: false);
        if (instance->Nudge != 0) OwnDescriptors.Close(instance->Nudge);
        if (instance->Private != 0) OwnDescriptors.Close(instance->Private);
        instance->Kept = 0;
        instance->NextFree = _freeInstances;
        _freeInstances = (int)(instance - Instances) + 1;
    }
}
