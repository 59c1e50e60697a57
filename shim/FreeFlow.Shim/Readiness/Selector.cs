using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Readiness;

/// <summary>select(2) by way of <see cref="Poller"/>, with select's own idea of what is readable, writable and exceptional.</summary>
internal static unsafe class Selector
{
    /// <summary>A number whose descriptor another thread closes meanwhile counts as ready, whatever it is in the sets for.</summary>
    private const short Readable = Linux.POLLIN | Linux.POLLRDNORM | Linux.POLLRDBAND | Linux.POLLHUP | Linux.POLLERR | Linux.POLLNVAL;
    private const short Writable = Linux.POLLOUT | Linux.POLLWRNORM | Linux.POLLWRBAND | Linux.POLLERR | Linux.POLLNVAL;
    private const short Exceptional = Linux.POLLPRI | Linux.POLLNVAL;
    private const int OnStack = 128;

    /// <summary>Words of a set that are copied on the stack: 1,024 descriptors (FD_SETSIZE).</summary>
    private const int WordsOnStack = 16;

    /// <summary>Descriptors that a set of the usual size has bits for (FD_SETSIZE), and that the smallest table of a process has room for.</summary>
    private const int UsualLimit = 1024, SmallestTable = 64;

    /// <summary>
    /// Descriptors that the kernel's table, which grows by doubling, would have room for without the shim's own; it looks at no bit and no memory behind them. What is
    /// open beyond the highest socket is not known, and told by the kernel.
    /// </summary>
    private static int TableSize()
    {
        int size = UsualLimit;
        while (size <= Sockets.Connections.Highest) size *= 2;
        return size;
    }

    /// <summary>The number of bits set, or a negative errno; the sets are changed only on success.</summary>
    public static int Select(int limit, ulong* read, ulong* write, ulong* except, ulong nanoseconds, ulong* mask)
    {
        if (limit < 0) return -Linux.EINVAL;
        // A limit may reach far beyond the sets (getdtablesize(3)): the kernel looks no farther than its table of descriptors does.
        int table = TableSize();
        if (limit > table && !AreThere(limit, read, write, except)) limit = table;
        if (limit > SmallestTable && !AreThere(limit, read, write, except)) limit = SmallestTable;
        nuint words = Words(limit), bytes = words * sizeof(ulong);
        ulong* onStack = stackalloc ulong[3 * WordsOnStack];
        ulong* copies = words <= WordsOnStack ? onStack : (ulong*)Process.Reserve(3 * bytes);
        if (copies == null) return -Linux.ENOMEM;
        ulong* reads = read == null ? null : copies;
        ulong* writes = write == null ? null : copies + words;
        ulong* excepts = except == null ? null : copies + (2 * words);
        int result = -Linux.EFAULT;
        if (IsRead(read, reads, bytes) && IsRead(write, writes, bytes) && IsRead(except, excepts, bytes))
        {
            result = Copied(ref limit, table, reads, writes, excepts, nanoseconds, mask);
            nuint changed = Words(limit) * sizeof(ulong);
            if (result >= 0 && !(IsWritten(read, reads, changed) && IsWritten(write, writes, changed) && IsWritten(except, excepts, changed))) result = -Linux.EFAULT;
        }
        if (words > WordsOnStack) Process.Libc->munmap(copies, 3 * bytes);
        return result;
    }

    private static nuint Words(int limit) => ((nuint)limit + 63) / 64;

    private static bool AreThere(int limit, ulong* read, ulong* write, ulong* except)
    {
        nuint bytes = Words(limit) * sizeof(ulong);
        return (read == null || CallerMemory.CanRead(read, bytes)) && (write == null || CallerMemory.CanRead(write, bytes)) && (except == null || CallerMemory.CanRead(except, bytes));
    }

    private static bool IsRead(ulong* set, ulong* copy, nuint bytes) => set == null || CallerMemory.TryRead(set, copy, bytes);

    private static bool IsWritten(ulong* set, ulong* copy, nuint bytes) => set == null || CallerMemory.TryWrite(set, copy, bytes);

    /// <summary>Select on copies of the sets; <paramref name="limit"/> becomes the number of bits that mean something.</summary>
    private static int Copied(ref int limit, int table, ulong* read, ulong* write, ulong* except, ulong nanoseconds, ulong* mask)
    {
        int count = 0;
        for (int fd = 0; fd < limit; fd++) if (Wanted(fd, read, write, except) != 0) count++;
        PollDescriptor* onStack = stackalloc PollDescriptor[OnStack];
        PollDescriptor* descriptors = count <= OnStack ? onStack : (PollDescriptor*)Process.Reserve((nuint)(count * sizeof(PollDescriptor)));
        if (descriptors == null) return -Linux.ENOMEM;
        int used = 0;
        for (int fd = 0; fd < limit; fd++)
        {
            short events = Wanted(fd, read, write, except);
            if (events != 0) descriptors[used++] = new PollDescriptor { Descriptor = fd, Events = events };
        }
        if (limit > table) CutOff(ref limit, table, descriptors, ref used);
        int result = Poll(descriptors, (nuint)used, nanoseconds, mask);
        if (result >= 0) result = Store(limit, read, write, except, descriptors, used);
        if (count > OnStack) Process.Libc->munmap(descriptors, (nuint)(count * sizeof(PollDescriptor)));
        return result;
    }

    /// <summary>
    /// A hang-up alone is nothing that select tells of where only urgent bytes, or room, are waited for: such a connection has no more to say, and the others are waited
    /// for on. Its number is negated, which poll(2) passes over.
    /// </summary>
    private static int Poll(PollDescriptor* descriptors, nuint count, ulong nanoseconds, ulong* mask)
    {
        ulong deadline = nanoseconds is Sleep.Forever or 0 ? nanoseconds : Sleep.Deadline(nanoseconds), left = nanoseconds;
        for (bool first = true; ; first = false)
        {
            int result = Poller.Poll(descriptors, count, left, mask, select: first);
            if (result <= 0) return result;
            bool anyIsTold = false;
            for (nuint i = 0; i < count; i++) anyIsTold |= descriptors[i].Descriptor >= 0 && IsTold(descriptors + i);
            if (anyIsTold) return result;
            for (nuint i = 0; i < count; i++)
                if (descriptors[i].Descriptor >= 0 && descriptors[i].Returned != 0) descriptors[i].Descriptor = ~descriptors[i].Descriptor;
            left = nanoseconds == 0 ? 0 : Sleep.Left(deadline);
        }
    }

    private static bool IsTold(PollDescriptor* polled)
    {
        short wanted = polled->Events, returned = polled->Returned;
        return ((wanted & Linux.POLLIN) != 0 && (returned & Readable) != 0) || ((wanted & Linux.POLLOUT) != 0 && (returned & Writable) != 0)
            || ((wanted & Linux.POLLPRI) != 0 && (returned & Exceptional) != 0);
    }

    /// <summary>Bits behind the table and the last open descriptor are not the sets' any more.</summary>
    private static void CutOff(ref int limit, int table, PollDescriptor* descriptors, ref int count)
    {
        if (Process.Libc->poll(descriptors, (nuint)count, 0) < 0) return;
        while (count > 0 && descriptors[count - 1].Descriptor >= table && IsClosed(descriptors + (count - 1))) count--;
        int last = count == 0 ? 0 : descriptors[count - 1].Descriptor + 1;
        limit = last > table ? last : table;
    }

    /// <summary>The shim's own descriptors are none of the program's.</summary>
    private static bool IsClosed(PollDescriptor* polled) =>
        (polled->Returned & Linux.POLLNVAL) != 0 || (Sockets.Connections.InRange(polled->Descriptor) && Process.Flags[polled->Descriptor] == DescriptorFlags.Internal);

    private static short Wanted(int fd, ulong* read, ulong* write, ulong* except)
    {
        int bits = 0;
        if (IsSet(read, fd)) bits |= Linux.POLLIN | Linux.POLLRDNORM;
        if (IsSet(write, fd)) bits |= Linux.POLLOUT | Linux.POLLWRNORM;
        if (IsSet(except, fd)) bits |= Linux.POLLPRI;
        return (short)bits;
    }

    private static int Store(int limit, ulong* read, ulong* write, ulong* except, PollDescriptor* descriptors, int count)
    {
        int bits = 0;
        ClearRest(read, limit);
        ClearRest(write, limit);
        ClearRest(except, limit);
        for (int i = 0; i < count; i++)
        {
            int fd = descriptors[i].Descriptor;
            short returned = fd < 0 ? (short)0 : descriptors[i].Returned;
            if (fd < 0) fd = ~fd;
            bits += Keep(read, fd, (returned & Readable) != 0) + Keep(write, fd, (returned & Writable) != 0) + Keep(except, fd, (returned & Exceptional) != 0);
        }
        return bits;
    }

    private static bool IsSet(ulong* set, int fd) => set != null && (set[fd / 64] & (1UL << (fd % 64))) != 0;

    /// <summary>The kernel writes whole words: bits of the last one beyond the limit come back as 0.</summary>
    private static void ClearRest(ulong* set, int limit)
    {
        if (set != null && limit % 64 != 0) set[limit / 64] &= (1UL << (limit % 64)) - 1;
    }

    private static int Keep(ulong* set, int fd, bool ready)
    {
        if (!IsSet(set, fd)) return 0;
        if (!ready) set[fd / 64] &= ~(1UL << (fd % 64));
        return ready ? 1 : 0;
    }
}
