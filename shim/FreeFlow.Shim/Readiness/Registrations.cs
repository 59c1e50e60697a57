using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <summary>
/// Which TCP sockets are in which epoll instances, recorded from the first epoll_ctl on, so that a connection that gets its ring later can bring its
/// doorbell along. Callers hold the lock of <see cref="Connections"/> unless a method takes it.
/// </summary>
internal static unsafe class Registrations
{
    private const int InstanceCapacity = 1 << 14;
    private const int Capacity = 1 << 18;

    public static EpollInstance* Instances;
    public static Registration* Entries;
    private static int _usedInstances, _used, _freeInstances, _free;

    public static bool Create()
    {
        Instances = (EpollInstance*)Process.Reserve((nuint)sizeof(EpollInstance) * InstanceCapacity);
        Entries = (Registration*)Process.Reserve((nuint)sizeof(Registration) * Capacity);
        return Instances != null && Entries != null;
    }

    /// <summary>The instance behind an epoll descriptor, made on first use; null if it cannot be tracked.</summary>
    public static EpollInstance* Instance(int epoll)
    {
        if (!Connections.InRange(epoll)) return null;
        int index = Connections.Descriptors[epoll].Instance;
        if (index != 0) return Instances + (index - 1);
        if (_freeInstances != 0)
        {
            index = _freeInstances;
            _freeInstances = Instances[index - 1].NextFree;
            int* hot = Instances[index - 1].Hot;
            Instances[index - 1] = new EpollInstance { Hot = hot };
        }
        else if (_usedInstances < InstanceCapacity) index = ++_usedInstances;
        else return null;
        EpollInstance* instance = Instances + (index - 1);
        instance->References = 1;
        instance->Epoll = epoll;
        Connections.Descriptors[epoll].Instance = index;
        Process.Flags[epoll] |= DescriptorFlags.Epoll;
        return instance;
    }

    /// <summary>Index plus one of the registration of a descriptor in an instance; 0 if there is none.</summary>
    public static int Find(int instance, int fd)
    {
        int index = Connections.Descriptors[fd].FirstRegistration;
        while (index != 0 && Entries[index - 1].Instance != instance) index = Entries[index - 1].NextOfDescriptor;
        return index;
    }

    /// <summary>Records a registration; its index plus one, 0 if there is no room.</summary>
    public static int Add(int instance, int fd, uint events, ulong data)
    {
        int index = _free;
        if (index != 0) _free = Entries[index - 1].NextOfInstance;
        else if (_used < Capacity) index = ++_used;
        else return 0;
        Registration* entry = Entries + (index - 1);
        EpollInstance* owner = Instances + instance;
        *entry = new Registration
        {
            Instance = instance,
            Descriptor = fd,
            Events = events,
            Data = data,
            Flags = RegistrationFlags.Fresh,
            Generation = entry->Generation,
            HotPosition = -1,
            NextOfDescriptor = Connections.Descriptors[fd].FirstRegistration,
            NextOfInstance = owner->FirstRegistration,
        };
        if (owner->FirstRegistration != 0) Entries[owner->FirstRegistration - 1].PreviousOfInstance = index;
        owner->FirstRegistration = index;
        Connections.Descriptors[fd].FirstRegistration = index;
        return index;
    }

    /// <summary>Forgets a registration; takes its doorbell out of the epoll set.</summary>
    /// <param name="index">Index plus one.</param>
    /// <param name="kernel">False if the kernel's set must stay as it is: another process shares it, or it is about to vanish.</param>
    public static void Remove(int index, bool kernel = true)
    {
        Registration* entry = Entries + (index - 1);
        EpollInstance* owner = Instances + entry->Instance;
        int* link = &Connections.Descriptors[entry->Descriptor].FirstRegistration;
        while (*link != 0 && *link != index) link = &Entries[*link - 1].NextOfDescriptor;
        if (*link != 0) *link = entry->NextOfDescriptor;

        bool locked = ThreadLock.Enter(&owner->Lock);
        if (entry->PreviousOfInstance != 0) Entries[entry->PreviousOfInstance - 1].NextOfInstance = entry->NextOfInstance;
        else owner->FirstRegistration = entry->NextOfInstance;
        if (entry->NextOfInstance != 0) Entries[entry->NextOfInstance - 1].PreviousOfInstance = entry->PreviousOfInstance;
        Cool(owner, entry);
        if (entry->Connection != 0)
        {
            owner->Accelerated--;
            EpollEvent none;
            int errno = Process.Errno;
            if (kernel) Process.Libc->epoll_ctl(owner->Epoll, Linux.EPOLL_CTL_DEL, Family.Records[entry->Connection - 1].OwnDoorbell, &none);
            Process.Errno = errno;
        }
        entry->Generation++;
        entry->Connection = 0;
        entry->NextOfInstance = _free;
        _free = index;
        if (locked) ThreadLock.Exit(&owner->Lock);
    }

    /// <summary>As <see cref="Remove"/>, out of the kernel's set too.</summary>
    public static void Discard(int index)
    {
        EpollEvent none;
        int errno = Process.Errno;
        Process.Libc->epoll_ctl(Instances[Entries[index - 1].Instance].Epoll, Linux.EPOLL_CTL_DEL, Entries[index - 1].Descriptor, &none);
        Process.Errno = errno;
        Remove(index);
    }

    /// <summary>A descriptor number is about to be closed.</summary>
    public static void DropDescriptor(int fd)
    {
        ConnectionRecord* record = Connections.Find(fd);
        while (Connections.Descriptors[fd].FirstRegistration != 0)
        {
            int first = Connections.Descriptors[fd].FirstRegistration;
            bool accelerated = record != null && Entries[first - 1].Connection != 0;
            // What a forked child closes, the parent may go on watching in the set that both share.
            if (accelerated && !Holders.IsSole(record, fd)) Remove(first, kernel: false);
            // With a duplicate still open the kernel would go on reporting an accelerated registration under the shim's data word.
            else if (accelerated) Discard(first);
            else Remove(first);
        }
        int index = Connections.Descriptors[fd].Instance;
        if (index == 0) return;
        EpollInstance* instance = Instances + (index - 1);
        if (--instance->References > 0) { MoveTo(instance, index, fd); return; }
        while (instance->FirstRegistration != 0) Remove(instance->FirstRegistration, kernel: false);
        if (instance->Nudge != 0) OwnDescriptors.Close(instance->Nudge);
        instance->NextFree = _freeInstances;
        _freeInstances = index;
    }

    /// <summary>An epoll instance goes on under another of its descriptors.</summary>
    private static void MoveTo(EpollInstance* instance, int index, int closing)
    {
        if (instance->Epoll != closing) return;
        for (int fd = 0; fd < DescriptorFlags.Capacity; fd++)
        {
            if ((Process.Flags[fd] & DescriptorFlags.Epoll) == 0 || fd == closing || Connections.Descriptors[fd].Instance != index) continue;
            instance->Epoll = fd;
            return;
        }
    }

    /// <summary>Accelerates every registration of a connection that has just got its ring.</summary>
    public static void AddDoorbell(uint connection)
    {
        for (int fd = Connections.Local[connection - 1].FirstDescriptor; fd != 0; fd = Connections.Descriptors[fd - 1].NextDescriptor)
            for (int index = Connections.Descriptors[fd - 1].FirstRegistration; index != 0; index = Entries[index - 1].NextOfDescriptor)
                Accelerate(index, connection);
    }

    /// <summary>Puts the connection's doorbell into the registration's epoll set and the shim's data word into its own.</summary>
    public static void Accelerate(int index, uint connection)
    {
        Registration* entry = Entries + (index - 1);
        EpollInstance* owner = Instances + entry->Instance;
        if (!Prepare(owner)) return;
        bool locked = ThreadLock.Enter(&owner->Lock);
        if (owner->Accelerated < FamilyLayout.RecordCount)
        {
            entry->Connection = connection;
            entry->Flags |= RegistrationFlags.Fresh;
            owner->Accelerated++;
            ConnectionRecord* record = Family.Records + (connection - 1);
            EpollEvent bell = new() { Events = Linux.EPOLLIN | Linux.EPOLLET, Data = EpollTag.ForDoorbell(index - 1, entry->Generation) };
            Process.Libc->epoll_ctl(Instances[entry->Instance].Epoll, Linux.EPOLL_CTL_ADD, record->OwnDoorbell, &bell);
            Modify(entry, record);
            Heat(owner, entry);
        }
        if (locked) ThreadLock.Exit(&owner->Lock);
    }

    /// <summary>What an instance needs before its first accelerated registration.</summary>
    private static bool Prepare(EpollInstance* owner)
    {
        if (owner->Hot == null) owner->Hot = (int*)Process.Reserve(FamilyLayout.RecordCount * sizeof(int));
        if (owner->Nudge != 0 || owner->Hot == null) return owner->Hot != null;
        int nudge = OwnDescriptors.Adopt(Process.Libc->eventfd(0, Linux.EFD_NONBLOCK | Linux.EFD_CLOEXEC));
        if (nudge < 0) return false;
        EpollEvent wanted = new() { Events = Linux.EPOLLIN, Data = EpollTag.ForNudge };
        if (Process.Libc->epoll_ctl(owner->Epoll, Linux.EPOLL_CTL_ADD, nudge, &wanted) != 0) { OwnDescriptors.Close(nudge); return false; }
        owner->Nudge = nudge;
        return true;
    }

    /// <summary>A thread that sleeps on the instance must look again. Whoever calls has made the change visible first.</summary>
    public static void NudgeSleepers(EpollInstance* owner)
    {
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref owner->Sleepers) != 0 && owner->Nudge != 0) Doorbell.Write(owner->Nudge);
    }

    /// <summary>After a nudge: nothing is cold any more. Caller holds the instance's lock.</summary>
    public static void TakeNudge(EpollInstance* owner)
    {
        ulong count;
        Process.Libc->read(owner->Nudge, (byte*)&count, sizeof(ulong));
        for (int index = owner->FirstRegistration; index != 0; index = Entries[index - 1].NextOfInstance) Heat(owner, Entries + (index - 1));
    }

    /// <summary>
    /// After the sending direction has moved: the kernel's writability counts no more, or again; who waits for it must look again. Takes the lock.
    /// <paramref name="owed"/>: edge-triggered sets are owed a report of what the kernel says now.
    /// </summary>
    public static void Refresh(uint connection, bool owed = false)
    {
        ConnectionRecord* record = Family.Records + (connection - 1);
        bool locked = ThreadLock.Enter(Connections.LockWord());
        int errno = Process.Errno;
        for (int fd = Connections.Local[connection - 1].FirstDescriptor; fd != 0; fd = Connections.Descriptors[fd - 1].NextDescriptor)
        {
            for (int index = Connections.Descriptors[fd - 1].FirstRegistration; index != 0; index = Entries[index - 1].NextOfDescriptor)
            {
                Registration* entry = Entries + (index - 1);
                if (entry->Connection == 0) continue;
                EpollInstance* owner = Instances + entry->Instance;
                bool inner = ThreadLock.Enter(&owner->Lock);
                if (owed || MustRefresh(entry, record)) Modify(entry, record);
                Heat(owner, entry);
                if (inner) ThreadLock.Exit(&owner->Lock);
                NudgeSleepers(owner);
            }
        }
        Process.Errno = errno;
        if (locked) ThreadLock.Exit(Connections.LockWord());
    }

    /// <summary>Modifying an edge-triggered registration makes the kernel report anew; one that hears of the end of stream anyway is spared.</summary>
    private static bool MustRefresh(Registration* entry, ConnectionRecord* record) =>
        (entry->Events & (Linux.EPOLLET | Linux.EPOLLRDHUP)) != (Linux.EPOLLET | Linux.EPOLLRDHUP) || (NeededMask(entry, record) & ~entry->KernelEvents) != 0;

    /// <summary>Tells the kernel exactly what of an accelerated registration is its business now, and no more.</summary>
    public static int Modify(Registration* entry, ConnectionRecord* record) => SetKernelMask(entry, NeededMask(entry, record));

    /// <summary>
    /// As <see cref="Modify"/> after the application has changed its mind, but only if what the kernel has does not serve already; then with room for
    /// further changes.
    /// </summary>
    public static int Widen(Registration* entry, ConnectionRecord* record)
    {
        const uint modes = Linux.EPOLLET | Linux.EPOLLONESHOT;
        uint needed = NeededMask(entry, record);
        bool quiet = (record->Flags & (uint)ConnectionFlags.PeerFinished) == 0 && Volatile.Read(ref record->KernelAttention) == 0;
        // Modifying an edge-triggered registration makes the kernel report anew what it has; with nothing to report that is no loss.
        if ((needed & ~entry->KernelEvents) == 0 && (needed & modes) == (entry->KernelEvents & modes) && ((needed & modes) == 0 || quiet)) return 0;
        bool onlyEndOfStream = quiet && Gate.Phase(&record->SendGate) == DirectionPhase.Ring && Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ring;
        return SetKernelMask(entry, onlyEndOfStream ? needed | Linux.EPOLLIN | Linux.EPOLLRDHUP : needed);
    }

    private static int SetKernelMask(Registration* entry, uint mask)
    {
        EpollEvent wanted = new() { Events = mask, Data = EpollTag.ForSocket((int)(entry - Entries), entry->Generation) };
        int result = Process.Libc->epoll_ctl(Instances[entry->Instance].Epoll, Linux.EPOLL_CTL_MOD, entry->Descriptor, &wanted);
        if (result == 0) entry->KernelEvents = mask;
        return result;
    }

    /// <summary>
    /// The application's mask, without writability while the ring answers for it; plus the peer's end of stream, which alone tells a sender on a full
    /// ring that its reader has died.
    /// </summary>
    private static uint NeededMask(Registration* entry, ConnectionRecord* record)
    {
        uint mask = entry->Events & ~Linux.EPOLLEXCLUSIVE;
        if ((entry->Flags & RegistrationFlags.Disarmed) != 0) return Linux.EPOLLONESHOT;
        if (Gate.Phase(&record->SendGate) != DirectionPhase.Ring) return mask;
        mask &= ~(Linux.EPOLLOUT | Linux.EPOLLWRNORM);
        if ((record->Flags & (uint)ConnectionFlags.PeerFinished) == 0) mask |= Linux.EPOLLRDHUP;
        return mask;
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

    /// <summary>Puts a registration on its instance's hot list. Caller holds the instance's lock.</summary>
    public static void Heat(EpollInstance* owner, Registration* entry)
    {
        if (entry->HotPosition >= 0 || entry->Connection == 0 || (entry->Flags & RegistrationFlags.Dormant) != 0) return;
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

    /// <summary>An instance that is watched by another one cannot look into rings when the outer one sleeps: its connections stay in the kernel.</summary>
    public static void MarkNested(EpollInstance* instance)
    {
        instance->Nested = 1;
        for (int index = instance->FirstRegistration; index != 0; index = Entries[index - 1].NextOfInstance)
        {
            ConnectionRecord* record = Connections.Find(Entries[index - 1].Descriptor);
            if (record != null && record->State == (uint)ConnectionState.Kernel) Offering.KeepInKernel(record, Reason.NestedEpoll);
        }
    }

    /// <summary>After fork, in the child.</summary>
    public static void ResetLocksAfterFork()
    {
        for (int i = 0; i < _usedInstances; i++) { Instances[i].Lock = 0; Instances[i].Sleepers = 0; }
    }
}
