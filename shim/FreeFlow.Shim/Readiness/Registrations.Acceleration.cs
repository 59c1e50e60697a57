using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <content>Doorbells and nudges in the kernel's sets; which registrations are hot.</content>
internal static unsafe partial class Registrations
{
    /// <summary>Accelerates every registration of a connection that has just got its ring.</summary>
    public static void AddDoorbell(uint connection)
    {
        for (int fd = Connections.Local[connection - 1].FirstDescriptor; fd != 0; fd = Connections.Descriptors[fd - 1].NextDescriptor)
            for (int index = Connections.Descriptors[fd - 1].FirstRegistration; index != 0; index = Entries[index - 1].NextOfDescriptor)
                if (MayChange(Instances + Entries[index - 1].Instance)) Accelerate(index, connection);
    }

    /// <summary>False if an epoll set that watches the connection cannot get what it needs to hear of a ring (RLIMIT_NOFILE).</summary>
    public static bool CanHear(uint connection)
    {
        for (int fd = Connections.Local[connection - 1].FirstDescriptor; fd != 0; fd = Connections.Descriptors[fd - 1].NextDescriptor)
            for (int index = Connections.Descriptors[fd - 1].FirstRegistration; index != 0; index = Entries[index - 1].NextOfDescriptor)
                if (MayChange(Instances + Entries[index - 1].Instance) && !Prepare(Instances + Entries[index - 1].Instance)) return false;
        return true;
    }

    /// <summary>Puts the connection's doorbell into the registration's epoll set and the shim's data word into its own. False if the set cannot hear of the ring.</summary>
    public static bool Accelerate(int index, uint connection)
    {
        Registration* entry = Entries + (index - 1);
        EpollInstance* owner = Instances + entry->Instance;
        if (!Prepare(owner)) return false;
        bool locked = ThreadLock.Enter(&owner->Lock);
        if (owner->Accelerated < FamilyLayout.RecordCount)
        {
            LoseTag(entry);
            entry->Connection = connection;
            entry->Flags |= RegistrationFlags.Fresh;
            owner->Accelerated++;
            if (owner->IsPrivate != 0) MoveHome(owner, entry->Descriptor, new EpollEvent { Events = Linux.EPOLLET });
            ConnectionRecord* record = Family.Records + (connection - 1);
            // If a mate's registration has brought the doorbell already, the kernel says so and nothing is changed.
            AddDoorbell(owner, index, record->Doorbell);
            JoinMates(index, connection);
            if ((entry->Events & Linux.EPOLLEXCLUSIVE) != 0) AddAnew(entry);
            Modify(entry, record);
            Heat(owner, entry);
        }
        if (locked) ThreadLock.Exit(&owner->Lock);
        NudgeSleepers(owner);
        return entry->Connection != 0;
    }

    /// <summary>
    /// The kernel modifies nothing that was added with EPOLLEXCLUSIVE. Without it more sets than one may hear of one event, as epoll_ctl(2) allows.
    /// </summary>
    private static void AddAnew(Registration* entry)
    {
        EpollEvent plain = new() { Events = Linux.EPOLLET };
        ControlHome(Instances + entry->Instance, Linux.EPOLL_CTL_DEL, entry->Descriptor, &plain);
        ControlHome(Instances + entry->Instance, Linux.EPOLL_CTL_ADD, entry->Descriptor, &plain);
    }

    /// <summary>What an instance needs before its first accelerated registration, or the first that stands for another instance.</summary>
    public static bool Prepare(EpollInstance* owner)
    {
        if (owner->GivenAway != 0) return false;
        if (owner->Hot == null) owner->Hot = (int*)Process.Reserve(FamilyLayout.RecordCount * sizeof(int));
        if (owner->Nudge != 0 || owner->Hot == null) return owner->Hot != null;
        int nudge = OwnDescriptors.Adopt(Process.Libc->eventfd(0, Linux.EFD_NONBLOCK | Linux.EFD_CLOEXEC));
        if (nudge < 0) return false;
        EpollEvent wanted = new() { Events = Linux.EPOLLIN, Data = EpollTag.ForNudge };
        if (Process.Libc->epoll_ctl(owner->Epoll, Linux.EPOLL_CTL_ADD, nudge, &wanted) != 0) { OwnDescriptors.Close(nudge); return false; }
        owner->Nudge = nudge;
        if (owner->Watched == 0 || Watch(owner)) return true;
        owner->Nudge = 0;
        OwnDescriptors.Close(nudge);
        return false;
    }

    /// <summary>A thread that sleeps on the instance must look again. Whoever calls has made the change visible first.</summary>
    public static void NudgeSleepers(EpollInstance* owner)
    {
        Interlocked.MemoryBarrier();
        if (MayHaveSleepers(owner, 0) && owner->Nudge != 0) Doorbell.Write(owner->Nudge);
    }

    /// <summary>Threads that sleep until an instance as a whole is ready, whichever, or are about to: counted before they arm.</summary>
    public static int WholeSleepers;

    /// <summary>True if others than <paramref name="own"/> threads may sleep on the instance.</summary>
    public static bool MayHaveSleepers(EpollInstance* owner, int own) =>
        Volatile.Read(ref owner->Sleepers) > own || (owner->Watched != 0 && (owner->Shared != 0 || Volatile.Read(ref WholeSleepers) != 0));

    /// <summary>After a nudge. Caller holds the instance's lock.</summary>
    public static void TakeNudge(EpollInstance* owner)
    {
        ulong count;
        Process.Libc->read(owner->Nudge, (byte*)&count, sizeof(ulong));
        // Who nudges has made hot what is to be looked at; but what another process has made hot is not in this one's list.
        if (owner->Shared != 0) HeatAll(owner);
    }

    /// <summary>Makes every registration be looked at. Caller holds the instance's lock.</summary>
    public static void HeatAll(EpollInstance* owner)
    {
        for (int index = owner->FirstRegistration; index != 0; index = Entries[index - 1].NextOfInstance) Heat(owner, Entries + (index - 1));
    }

    /// <summary>Makes a connection's registrations be looked at, and wakes threads that sleep on their instances. Takes the lock.</summary>
    public static void Heat(ConnectionRecord* record)
    {
        uint connection = Connections.IndexOf(record) + 1;
        bool locked = ThreadLock.Enter(Connections.LockWord());
        for (int fd = Connections.Local[connection - 1].FirstDescriptor; fd != 0; fd = Connections.Descriptors[fd - 1].NextDescriptor)
        {
            for (int index = Connections.Descriptors[fd - 1].FirstRegistration; index != 0; index = Entries[index - 1].NextOfDescriptor)
            {
                Registration* entry = Entries + (index - 1);
                if (entry->Connection == 0) continue;
                EpollInstance* owner = Instances + entry->Instance;
                bool inner = ThreadLock.Enter(&owner->Lock);
                Heat(owner, entry);
                if (inner) ThreadLock.Exit(&owner->Lock);
                NudgeSleepers(owner);
            }
        }
        if (locked) ThreadLock.Exit(Connections.LockWord());
    }

    /// <summary>
    /// As <see cref="Heat(ConnectionRecord*)"/> for those that sleep in another process, in a set that both have since fork(2): they look at everything in it. Takes the lock.
    /// </summary>
    public static void NudgeRelatives(ConnectionRecord* record)
    {
        uint connection = Connections.IndexOf(record) + 1;
        bool locked = ThreadLock.Enter(Connections.LockWord());
        for (int fd = Connections.Local[connection - 1].FirstDescriptor; fd != 0; fd = Connections.Descriptors[fd - 1].NextDescriptor)
        {
            for (int index = Connections.Descriptors[fd - 1].FirstRegistration; index != 0; index = Entries[index - 1].NextOfDescriptor)
            {
                EpollInstance* owner = Instances + Entries[index - 1].Instance;
                if (owner->Shared != 0 && owner->Nudge != 0) Doorbell.Write(owner->Nudge);
            }
        }
        if (locked) ThreadLock.Exit(Connections.LockWord());
    }

    /// <summary>Puts a registration on its instance's hot list. Caller holds the instance's lock.</summary>
    public static void Heat(EpollInstance* owner, Registration* entry)
    {
        if (entry->HotPosition >= 0 || (entry->Connection == 0 && entry->Guest == 0) || (entry->Flags & RegistrationFlags.Dormant) != 0) return;
        entry->HotSince = owner->Waits;
        entry->HotPosition = owner->HotCount;
        owner->Hot[owner->HotCount++] = (int)(entry - Entries);
    }

    /// <summary>Takes a registration off the hot list. Caller holds the instance's lock.</summary>
    public static void Cool(EpollInstance* owner, Registration* entry)
    {
        if (entry->HotPosition < 0) return;
        int last = owner->Hot[--owner->HotCount];
        owner->Hot[entry->HotPosition] = last;
        Entries[last].HotPosition = entry->HotPosition;
        entry->HotPosition = -1;
    }
}
