using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;
using FreeFlow.Shim.Uring;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// From descriptor to connection record and back: when tracking begins, what dup, close and fork do to it. The kernel's own reference count on the
/// socket stays the truth about its life; what is kept here decides only whether a ring may be used.
/// </summary>
internal static unsafe class Connections
{
    public static DescriptorEntry* Descriptors;
    public static LocalConnection* Local;

    /// <summary>Guards the descriptor table and the registration lists. Taken before an epoll instance's lock, after the session's.</summary>
    private static uint _lock;

    /// <summary>The highest descriptor that was ever a TCP socket made or connected here.</summary>
    public static int Highest => _highest;

    private static int _highest;

    public static void NoteHighest(int fd)
    {
        if (fd > _highest) _highest = fd;
    }

    public static bool Create()
    {
        Descriptors = (DescriptorEntry*)Process.Reserve((nuint)sizeof(DescriptorEntry) * DescriptorFlags.Capacity);
        Local = (LocalConnection*)Process.Reserve((nuint)sizeof(LocalConnection) * FamilyLayout.RecordCount);
        return Descriptors != null && Local != null;
    }

    public static uint* LockWord() => (uint*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref _lock);

    /// <summary>The record behind a descriptor, or null.</summary>
    public static ConnectionRecord* Find(int fd)
    {
        if ((uint)fd >= DescriptorFlags.Capacity) return null;
        uint connection = Descriptors[fd].Connection;
        return connection == 0 ? null : Family.Records + (connection - 1);
    }

    public static uint IndexOf(ConnectionRecord* record) => (uint)(record - Family.Records);

    /// <summary>True for a descriptor that an AF_INET or AF_INET6 TCP socket may stand behind, as far as its number goes.</summary>
    public static bool InRange(int fd) => (uint)fd < DescriptorFlags.Capacity;

    /// <summary>Starts to track a connected (or connecting) TCP socket.</summary>
    public static ConnectionRecord* Begin(int fd, ConnectionFlags flags)
    {
        if (!InRange(fd)) return null;
        uint taken = Family.TakeRecord();
        if (taken == 0 && Settings.Strict) Interlocked.Increment(ref Family.Header->Refused);
        if (taken == 0) { Log.Line("family table full; connection stays on the kernel path\n"u8); return null; }
        ConnectionRecord* record = Family.Records + (taken - 1);
        record->Flags = (uint)flags;
        record->Reason = (uint)Reason.NotYetOffered;
        record->CreatedNanoseconds = Process.Now();
        record->ProcessId = Process.Id;
        record->Descriptor = fd;
        NoteHighest(fd);
        record->Holders[0] = Process.Id;
        // The number was closed by a road the shim does not see; what it stood for is not this socket.
        if (Descriptors[fd].Connection != 0) Closing(fd, visible: false);
        bool locked = ThreadLock.Enter(LockWord());
        if (Local[taken - 1].Bodiless != 0) Registrations.RemoveBodiless(taken);
        Descriptors[fd].Connection = taken;
        Descriptors[fd].NextDescriptor = 0;
        Local[taken - 1] = default;
        Local[taken - 1].FirstDescriptor = fd + 1;
        Volatile.Write(ref Process.Flags[fd], DescriptorFlags.Connection | DescriptorFlags.Fresh);
        if (locked) ThreadLock.Exit(LockWord());
        Interlocked.Increment(ref *Process.TrackedConnections);
        if (IsStandard(fd)) Offering.KeepInKernel(record, Reason.StandardIoStream);
        return record;
    }

    /// <summary>
    /// Standard input, output and error: libc's own streams read and write these numbers from inside, perror(3) and printf(3) of a program that has closed them and got a
    /// connection in their place included. Whether one ever will cannot be seen before it does, so a connection with such a number is the kernel's.
    /// </summary>
    public static bool IsStandard(int fd) => (uint)fd <= 2;

    /// <summary>After dup, dup2, dup3 or F_DUPFD made <paramref name="copy"/> refer to what <paramref name="fd"/> refers to.</summary>
    public static void Duplicated(int fd, int copy)
    {
        // A number that the tables do not reach is served by the kernel, and so is all that shares its socket.
        if (InRange(fd) && !InRange(copy) && copy >= 0) _ = Exports.SocketCalls.KeepInKernel(fd, Reason.DescriptorLimit);
        if (!InRange(fd) || !InRange(copy)) return;
        NoteHighest(copy);
        bool locked = ThreadLock.Enter(LockWord());
        Descriptors[copy] = default;
        uint connection = Descriptors[fd].Connection;
        if (connection != 0)
        {
            Descriptors[copy].Connection = connection;
            Descriptors[copy].NextDescriptor = Local[connection - 1].FirstDescriptor;
            Local[connection - 1].FirstDescriptor = copy + 1;
        }
        Descriptors[copy].Instance = Descriptors[fd].Instance;
        Descriptors[copy].Timeouts = Descriptors[fd].Timeouts;
        if (Descriptors[fd].Instance != 0) Registrations.Instances[Descriptors[fd].Instance - 1].References++;
        Descriptors[copy].Queue = Descriptors[fd].Queue;
        if (Descriptors[fd].Queue != 0) SubmissionQueues.Copied(Descriptors[fd].Queue);
        if ((Process.Flags[fd] & DescriptorFlags.Candidate) != 0) Process.Flags[fd] |= DescriptorFlags.Copied;
        Volatile.Write(ref Process.Flags[copy], Process.Flags[fd]);
        if (locked) ThreadLock.Exit(LockWord());
        if (connection != 0 && IsStandard(copy)) Exports.RoadCalls.ToKernel(copy, Reason.Exec);
    }

    /// <summary>All the numbers of a connection in this process; how many, at most <paramref name="most"/>.</summary>
    public static int Numbers(int fd, int* numbers, int most)
    {
        int count = 0;
        bool locked = ThreadLock.Enter(LockWord());
        uint connection = Descriptors[fd].Connection;
        for (int next = connection == 0 ? 0 : Local[connection - 1].FirstDescriptor; next != 0 && count < most; next = Descriptors[next - 1].NextDescriptor) numbers[count++] = next - 1;
        if (locked) ThreadLock.Exit(LockWord());
        return count;
    }

    /// <summary>True if another number stands for the same socket that has not been taken for a connection.</summary>
    public static bool HasTwin(int fd) => NextTwin(fd, -1) >= 0;

    /// <summary>The next number beyond <paramref name="after"/> that stands for the same socket, without a connection; −1 if there is none.</summary>
    public static int NextTwin(int fd, int after)
    {
        const byte copy = DescriptorFlags.Candidate | DescriptorFlags.Copied;
        ulong own = Inode(fd);
        for (int other = after + 1; other < DescriptorFlags.Capacity; other++)
        {
            // Tables are sparse: whole pages of zeroes are passed over eight at a time.
            if (other % 8 == 0 && *(ulong*)(Process.Flags + other) == 0) { other += 7; continue; }
            if (other != fd && (Process.Flags[other] & copy) == copy && Inode(other) == own) return other;
        }
        return -1;
    }

    private static ulong Inode(int fd)
    {
        const int fstat = 5, words = 18;
        ulong* status = stackalloc ulong[words];
        return Process.Libc->syscall(fstat, fd, (nint)status, 0, 0, 0) == 0 ? status[1] : ulong.MaxValue;
    }

    /// <summary>
    /// Before a descriptor number is closed or overwritten. When it was this process's last one for a connection, the ring goes; when it was the
    /// family's last, the peer is told and the record is freed.
    /// </summary>
    /// <param name="fd">The descriptor.</param>
    /// <param name="visible">False if the number already stands for something else.</param>
    public static void Closing(int fd, bool visible = true)
    {
        if (!InRange(fd)) return;
        if ((Process.Flags[fd] & DescriptorFlags.ConnectionManager) != 0) Verbs.CmChannels.Closing(fd);
        // A ring that has come unnoticed: its reader may be Ready, and then expects to hear of the end (docs/fabric.md).
        ConnectionRecord* closing = Find(fd);
        if (closing != null && closing->State == (uint)ConnectionState.Offered) Session.Look();
        bool locked = ThreadLock.Enter(LockWord());
        Process.Flags[fd] = 0;
        Registrations.DropDescriptor(fd);
        uint connection = Descriptors[fd].Connection;
        bool last = connection != 0 && Unlink(fd, connection);
        int queue = Descriptors[fd].Queue;
        Descriptors[fd] = default;
        if (queue != 0) SubmissionQueues.Closing(queue, fd);
        if (locked) ThreadLock.Exit(LockWord());
        if (queue != 0) SubmissionQueues.Release(queue);
        if (last && !(visible && Orphans.Keep(fd, connection))) Leave(visible ? fd : -1, Family.Records + (connection - 1));
    }

    /// <summary>Takes a descriptor off its connection's list; true if the list is empty now.</summary>
    private static bool Unlink(int fd, uint connection)
    {
        int* link = &Local[connection - 1].FirstDescriptor;
        while (*link != 0 && *link != fd + 1) link = &Descriptors[*link - 1].NextDescriptor;
        if (*link != 0) *link = Descriptors[fd].NextDescriptor;
        return Local[connection - 1].FirstDescriptor == 0;
    }

    /// <summary>This process has no descriptor of the connection left, but for the one given, which is about to be closed; −1 if that is gone too.</summary>
    public static void Leave(int fd, ConnectionRecord* record)
    {
        Interlocked.Decrement(ref *Process.TrackedConnections);
        bool lastHolder = Holders.Leave(record, fd);
        if (!lastHolder && record->ProcessId == Process.Id) Offering.TakeBack(record);
        if (lastHolder)
        {
            if (record->RingAddress != 0) Handover.AnnounceClose(fd, record);
            if ((record->Flags & (uint)ConnectionFlags.ShownToRouter) != 0)
            {
                // An offer the router has not read yet holds a copy of the socket: without this the peer would wait for the end of stream. Not if
                // a program started by this one may have inherited the socket, nor while another thread is inside a call on it, with which the kernel keeps it open. One that is
                // dissolved ends with a reset, whoever has a copy.
                if (record->State == (uint)ConnectionState.Offered && (record->Flags & (uint)ConnectionFlags.Dissolved) == 0 && !Gate.IsBusy(&record->ReceiveGate) && !Gate.IsBusy(&record->SendGate) && (Process.Libc->fcntl(fd, Linux.F_GETFD, null) & Linux.FD_CLOEXEC) != 0)
                    KernelEnd.Now(fd);
                Session.Withdraw(IndexOf(record), record->Generation);
            }
            Volatile.Write(ref record->State, (uint)ConnectionState.Closed);
        }
        if (record->RingAddress != 0 || (lastHolder && Graveyard.IsVisited(record)))
        {
            bool locked = ThreadLock.Enter(LockWord());
            if (lastHolder) Registrations.RemoveBodiless(IndexOf(record) + 1);
            if (Local[IndexOf(record)].Bodiless == 0) Graveyard.Bury(IndexOf(record) + 1, lastHolder);
            if (locked) ThreadLock.Exit(LockWord());
        }
        else if (lastHolder) Family.ReturnRecord(record);
    }

    /// <summary>Before fork: the child will hold every connection too.</summary>
    public static void AddChildHolders()
    {
        for (uint i = 0; i < Family.Header->RecordsUsed; i++)
            if (Local[i].FirstDescriptor != 0) Interlocked.Increment(ref Family.Records[i].MoreHolders);
    }

    /// <summary>After fork into another pid namespace, in the child: no holder's life can be told from now on.</summary>
    public static void MarkForeign()
    {
        for (uint i = 0; i < Family.Header->RecordsUsed; i++)
            if (Local[i].FirstDescriptor != 0) Interlocked.Or(ref Family.Records[i].Flags, (uint)ConnectionFlags.ForeignHolder);
    }

    /// <summary>After fork, in the parent or the child: names the child as a holder, or takes it back if there is no child.</summary>
    public static void NameChildHolders(int child)
    {
        for (uint i = 0; i < Family.Header->RecordsUsed; i++)
            if (Local[i].FirstDescriptor != 0) Holders.Name(Family.Records + i, child);
    }

    /// <summary>After fork, in the child: no other thread exists here.</summary>
    public static void ResetLockAfterFork() => _lock = 0;
}
