using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <summary>
/// epoll_ctl(2) for an epoll instance inside another one. It is registered with the shim's data word, so that a wait on the outer one can look into the rings of the
/// inner one before it reports it. Caller holds the lock of <see cref="Connections"/>.
/// </summary>
internal static unsafe class GuestControl
{
    /// <param name="epoll">The outer set.</param>
    /// <param name="owner">Index of its instance.</param>
    /// <param name="operation">EPOLL_CTL_…</param>
    /// <param name="fd">The inner set.</param>
    /// <param name="wanted">The application's mask and data.</param>
    /// <param name="unheard">True if the inner set's connections must go back to the kernel.</param>
    public static int Control(int epoll, int owner, int operation, int fd, EpollEvent* wanted, out bool unheard)
    {
        unheard = false;
        int index = Registrations.Find(owner, fd), inner = Connections.Descriptors[fd].Instance;
        EpollInstance* outer = Registrations.Instances + owner;
        switch (operation)
        {
            case Linux.EPOLL_CTL_ADD when index == 0 && inner != 0 && inner - 1 != owner && outer->GivenAway == 0 && (wanted->Events & Linux.EPOLLEXCLUSIVE) == 0:
                if (Registrations.Prepare(outer)) return Add(epoll, owner, fd, wanted, inner, out unheard);
                break;
            case Linux.EPOLL_CTL_MOD when index != 0: return Modify(outer, Registrations.Entries + (index - 1), wanted);
            case Linux.EPOLL_CTL_DEL when index != 0:
                int removed = Process.Libc->epoll_ctl(epoll, operation, fd, wanted);
                if (removed == 0) Registrations.Remove(index);
                return removed;
        }
        int result = Process.Libc->epoll_ctl(epoll, operation, fd, wanted);
        // Without a registration nobody looks into the inner one's rings.
        unheard = result == 0 && operation == Linux.EPOLL_CTL_ADD && inner != 0;
        return result;
    }

    /// <summary>True if <paramref name="inner"/> contains <paramref name="outer"/> already: the kernel refuses that for good. Takes the lock.</summary>
    public static bool WouldBeCircle(int outer, int inner)
    {
        bool locked = ThreadLock.Enter(Connections.LockWord());
        int from = Connections.Descriptors[inner].Instance, to = Connections.Descriptors[outer].Instance;
        bool circle = from == 0 || to == 0 || Contains(from, to);
        if (locked) ThreadLock.Exit(Connections.LockWord());
        return circle;
    }

    private static bool Contains(int from, int to)
    {
        if (from == to) return true;
        for (int index = Registrations.Instances[from - 1].FirstRegistration; index != 0; index = Registrations.Entries[index - 1].NextOfInstance)
        {
            int guest = Registrations.Entries[index - 1].Guest;
            if (guest != 0 && Contains(guest, to)) return true;
        }
        return false;
    }

    private static int Add(int epoll, int owner, int fd, EpollEvent* wanted, int inner, out bool unheard)
    {
        unheard = false;
        int index = Registrations.Add(owner, fd, wanted->Events, wanted->Data);
        if (index == 0)
        {
            unheard = true;
            return Process.Libc->epoll_ctl(epoll, Linux.EPOLL_CTL_ADD, fd, wanted);
        }
        EpollInstance* outer = Registrations.Instances + owner;
        Registration* entry = Registrations.Entries + (index - 1);
        EpollEvent tagged = new() { Events = wanted->Events, Data = EpollTag.ForSocket(index - 1, entry->Generation) };
        // An event that comes before the registration is complete is not lost: it waits for the lock.
        bool locked = ThreadLock.Enter(&outer->Lock);
        int result = Process.Libc->epoll_ctl(epoll, Linux.EPOLL_CTL_ADD, fd, &tagged);
        if (result == 0)
        {
            entry->Guest = inner;
            entry->KernelEvents = wanted->Events;
            outer->Guests++;
            Registrations.Heat(outer, entry);
        }
        if (locked) ThreadLock.Exit(&outer->Lock);
        if (result != 0) { int errno = Process.Errno; Registrations.Remove(index); Process.Errno = errno; return result; }
        unheard = !Registrations.Watch(Registrations.Instances + (inner - 1));
        Registrations.NudgeSleepers(outer);
        return 0;
    }

    private static int Modify(EpollInstance* outer, Registration* entry, EpollEvent* wanted)
    {
        EpollEvent tagged = new() { Events = wanted->Events, Data = EpollTag.ForSocket((int)(entry - Registrations.Entries), entry->Generation) };
        bool locked = ThreadLock.Enter(&outer->Lock);
        int result = Process.Libc->epoll_ctl(outer->Epoll, Linux.EPOLL_CTL_MOD, entry->Descriptor, &tagged);
        if (result == 0)
        {
            entry->Events = wanted->Events;
            entry->Data = wanted->Data;
            entry->KernelEvents = wanted->Events;
            entry->Flags = RegistrationFlags.Fresh;
        }
        if (locked) ThreadLock.Exit(&outer->Lock);
        if (result == 0) Registrations.NudgeSleepers(outer);
        return result;
    }
}
