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

    /// <summary>The number of bits set, or a negative errno; the sets are changed only on success.</summary>
    public static int Select(int limit, ulong* read, ulong* write, ulong* except, ulong nanoseconds, ulong* mask)
    {
        if (limit < 0) return -Linux.EINVAL;
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
        int result = Poller.Poll(descriptors, (nuint)count, nanoseconds, mask, select: true);
        if (result >= 0) result = Store(limit, read, write, except, descriptors, count);
        if (count > OnStack) Process.Libc->munmap(descriptors, (nuint)(count * sizeof(PollDescriptor)));
        return result;
    }

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
            short returned = descriptors[i].Returned;
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
