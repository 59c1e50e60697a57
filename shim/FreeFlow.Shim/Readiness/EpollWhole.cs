using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <summary>
/// Whether an epoll instance is ready as a whole: for another instance that contains it, and for poll(2). A look takes no report away; what it has to take from the
/// kernel is kept for the next wait.
/// </summary>
internal static unsafe class EpollWhole
{
    private const int AtOnce = 16, MostRounds = 64;

    /// <summary>The instance behind an epoll descriptor if the shim has a part in its readiness, or may come to have one; else null.</summary>
    public static EpollInstance* Of(int epoll)
    {
        if ((uint)epoll >= DescriptorFlags.Capacity || (Process.Flags[epoll] & DescriptorFlags.Epoll) == 0) return null;
        int index = Connections.Descriptors[epoll].Instance;
        EpollInstance* instance = index == 0 ? null : Registrations.Instances + (index - 1);
        // Without a registration a nudge may still be in it.
        return instance == null || (instance->FirstRegistration == 0 && instance->Nudge == 0) ? null : instance;
    }

    /// <summary>poll(2) is about to wait for the instance: as <see cref="Registrations.Watch"/>, from the first time on. Takes locks.</summary>
    public static void Watch(EpollInstance* instance)
    {
        if (instance->Watched != 0) return;
        bool locked = ThreadLock.Enter(Connections.LockWord());
        bool watched = Registrations.Watch(instance);
        if (locked) ThreadLock.Exit(Connections.LockWord());
        if (!watched) Registrations.LeaveRings((int)(instance - Registrations.Instances), Contract.Reason.NestedEpoll);
    }

    /// <summary>True if a ring makes the instance ready.</summary>
    public static bool HasReadyRing(EpollInstance* instance)
    {
        if (instance->HotCount == 0 || !ThreadLock.Enter(&instance->Lock)) return false;
        bool ready = EpollArming.AnyReady(instance, all: true);
        ThreadLock.Exit(&instance->Lock);
        return ready;
    }

    /// <summary>
    /// The kernel says that the instance is ready: true if it is. All its doorbells are armed afterwards. <paramref name="byKernel"/>: something else than a ring makes it so.
    /// </summary>
    public static bool Examine(EpollInstance* instance, out bool byKernel)
    {
        byKernel = true;
        if (instance->IsPrivate == 0 || !ThreadLock.Enter(&instance->Lock)) return true;
        int errno = Process.Errno;
        byKernel = AskKernel(instance);
        EpollArming.ArmHot(instance);
        bool byRing = EpollArming.AnyReady(instance, all: true), ready = byRing || byKernel;
        // Others that sleep on the instance have not heard what has just been taken from the kernel.
        if (byRing) Registrations.NudgeSleepers(instance);
        Process.Errno = errno;
        ThreadLock.Exit(&instance->Lock);
        return ready;
    }

    /// <summary>Caller holds the lock.</summary>
    private static bool AskKernel(EpollInstance* instance)
    {
        EpollEvent* events = stackalloc EpollEvent[AtOnce];
        PollDescriptor* both = stackalloc PollDescriptor[2];
        for (int round = 0; round < MostRounds; round++)
        {
            both[0] = new PollDescriptor { Descriptor = instance->Epoll, Events = Linux.POLLIN };
            both[1] = new PollDescriptor { Descriptor = instance->Private, Events = Linux.POLLIN };
            if (Process.Libc->poll(both, 2, 0) <= 0) return false;
            if (both[1].Returned == 0)
            {
                if (AskGuests(instance, out bool mistaken) || !mistaken) return true;
                continue;
            }
            int received = Process.Libc->epoll_pwait(instance->Private, events, AtOnce, 0, null);
            // All of them: what has been taken from the kernel is kept, or nobody hears of it any more.
            bool ready = false;
            for (int i = 0; i < received; i++) ready |= EpollTranslation.Peek(instance, events[i]);
            if (ready) return true;
        }
        return false;
    }

    /// <summary>True if an instance inside this one is ready. <paramref name="mistaken"/>: the kernel thought so of one that is not.</summary>
    private static bool AskGuests(EpollInstance* instance, out bool mistaken)
    {
        mistaken = false;
        if (instance->Guests == 0) return false;
        for (int i = 0; i < instance->HotCount; i++)
        {
            Registration* entry = Registrations.Entries + instance->Hot[i];
            if (entry->Guest == 0 || (entry->Flags & RegistrationFlags.Disarmed) != 0) continue;
            EpollInstance* inner = Registrations.Instances + (entry->Guest - 1);
            PollDescriptor look = new() { Descriptor = inner->Epoll, Events = Linux.POLLIN };
            if (Process.Libc->poll(&look, 1, 0) <= 0) continue;
            if (IsReady(entry)) return true;
            mistaken = true;
        }
        return false;
    }

    /// <summary>As <see cref="EpollReport.Ready"/> for a registration that stands for an instance: what its rings say. Caller holds the outer instance's lock.</summary>
    public static uint Ready(Registration* entry, out ulong edges)
    {
        EpollInstance* inner = Registrations.Instances + (entry->Guest - 1);
        bool ready = HasReadyRing(inner);
        edges = inner->Edges;
        return ready && IsEdge(entry, edges) ? entry->Events & (Linux.EPOLLIN | Linux.EPOLLRDNORM) : 0;
    }

    /// <summary>After the kernel has said that the instance a registration stands for is ready: true if that is to be reported. Caller holds the outer instance's lock.</summary>
    public static bool IsReady(Registration* entry)
    {
        EpollInstance* inner = Registrations.Instances + (entry->Guest - 1);
        return Examine(inner, out bool byKernel) && (byKernel || IsEdge(entry, inner->Edges));
    }

    /// <summary>True if a registration that stands for an instance may report that it is ready: always if level triggered.</summary>
    private static bool IsEdge(Registration* entry, ulong edges) =>
        (entry->Events & Linux.EPOLLET) == 0 || (entry->Flags & RegistrationFlags.Fresh) != 0 || edges != entry->TailReported;
}
