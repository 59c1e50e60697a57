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
internal static unsafe partial class Registrations
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

    /// <summary>The number stands for no epoll set after all, or for one that has nothing in it. Leaves errno alone.</summary>
    public static void Disown(int epoll)
    {
        int index = Connections.Descriptors[epoll].Instance;
        if (index == 0) return;
        int errno = Process.Errno;
        Connections.Descriptors[epoll].Instance = 0;
        Process.Flags[epoll] = 0;
        Instances[index - 1].References = 0;
        Forget(Instances + (index - 1));
        Process.Errno = errno;
    }

    /// <summary>Index plus one of the registration of a descriptor in an instance; 0 if there is none.</summary>
    public static int Find(int instance, int fd)
    {
        int index = Connections.Descriptors[fd].FirstRegistration;
        while (index != 0 && (Entries[index - 1].Instance != instance || (Entries[index - 1].Flags & RegistrationFlags.Ghost) != 0)) index = Entries[index - 1].NextOfDescriptor;
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
        bool bodiless = IsBodiless(entry);
        uint body = bodiless ? entry->Connection : 0;
        if (!bodiless)
        {
            int* link = &Connections.Descriptors[entry->Descriptor].FirstRegistration;
            while (*link != 0 && *link != index) link = &Entries[*link - 1].NextOfDescriptor;
            if (*link != 0) *link = entry->NextOfDescriptor;
        }

        bool locked = ThreadLock.Enter(&owner->Lock);
        if (entry->PreviousOfInstance != 0) Entries[entry->PreviousOfInstance - 1].NextOfInstance = entry->NextOfInstance;
        else owner->FirstRegistration = entry->NextOfInstance;
        if (entry->NextOfInstance != 0) Entries[entry->NextOfInstance - 1].PreviousOfInstance = entry->PreviousOfInstance;
        LeaveConnection(owner, entry, kernel);
        LoseTag(entry);
        if (entry->Guest != 0) owner->Guests--;
        entry->Generation++;
        entry->Connection = 0;
        entry->Guest = 0;
        entry->NextOfInstance = _free;
        _free = index;
        if (locked) ThreadLock.Exit(&owner->Lock);
        if (body != 0) LeaveBody(body);
    }

    /// <summary>A registration is the kernel's business alone from now on, and its doorbell nobody's. Caller holds the instance's lock.</summary>
    private static void LeaveConnection(EpollInstance* owner, Registration* entry, bool kernel)
    {
        Cool(owner, entry);
        if (entry->Connection == 0) return;
        owner->Accelerated--;
        EpollEvent none;
        int errno = Process.Errno;
        int doorbell = DoorbellOf(entry), mate = LeaveMates(entry);
        if (kernel) ControlHome(owner, Linux.EPOLL_CTL_DEL, doorbell, &none);
        if (kernel && mate != 0) AddDoorbell(owner, mate, doorbell);
        Process.Errno = errno;
    }

    /// <summary>As <see cref="Remove"/>, out of the kernel's set too.</summary>
    public static void Discard(int index)
    {
        EpollEvent none;
        int errno = Process.Errno;
        if ((Entries[index - 1].Flags & RegistrationFlags.Ghost) == 0)
            ControlHome(Instances + Entries[index - 1].Instance, Linux.EPOLL_CTL_DEL, Entries[index - 1].Descriptor, &none);
        Process.Errno = errno;
        Remove(index);
    }

    /// <summary>Before fork: the child will have every epoll set, too.</summary>
    public static void NoteFork()
    {
        for (int i = 0; i < _usedInstances; i++)
        {
            EpollInstance* instance = Instances + i;
            instance->Shared = 1;
            // Whichever process waits first would change the set behind the other's back.
            if (instance->Waited == 0) _ = Change(instance);
            // Either may come to watch it, and the other must reach what moves then.
            if (instance->Accelerated != 0) _ = MakePrivateSet(instance);
        }
    }

    /// <summary>After fork, in the child.</summary>
    public static void ResetLocksAfterFork()
    {
        for (int i = 0; i < _usedInstances; i++) { Instances[i].Lock = 0; Instances[i].Sleepers = Instances[i].Inside = 0; }
        WholeSleepers = 0;
    }
}
