using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// The last resort for a program that takes over a connection whose ring it cannot read, when the peer cannot send again what is unread there, because it has ended its
/// stream, or does not answer, and no router can put it into the socket's queue (<see cref="Refill"/>): a small process stays behind that carries the bytes between the connection and a Unix socket, which the program gets in its place.
/// A program that this one starts and that never reads it takes nothing away (<see cref="PumpChunk"/>).
/// </summary>
internal static unsafe class Pump
{
    /// <summary>The descriptor to use in place of <paramref name="fd"/>, close-on-exec; −1 if there can be none.</summary>
    /// <param name="fd">The connection's.</param>
    /// <param name="record">The connection.</param>
    /// <param name="lent">This process goes on with the connection, and may be the only one that reads it.</param>
    public static int Start(int fd, ConnectionRecord* record, bool lent = false)
    {
        int* ends = stackalloc int[2];
        if ((record->Flags & (uint)ConnectionFlags.Pumped) != 0 || Refill.TryPutBack(fd, record)) return -1;
        if (Process.Libc->socketpair(Linux.AF_UNIX, Linux.SOCK_STREAM | Linux.SOCK_CLOEXEC, 0, ends) != 0) return -1;
        Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.Pumped);
        Interlocked.Increment(ref record->MoreHolders);
        bool started = LeftBehind.Start(out bool here);
        if (here)
        {
            LeftBehind.Become(fd, ends[0], record->Doorbell);
            Holders.Name(record, Process.Id);
            Carry(fd, record, ends[0], lent);
            Interlocked.And(ref record->Flags, ~(uint)ConnectionFlags.Pumped);
            Connections.Closing(fd);
            LeftBehind.Exit();
        }
        Process.Libc->close(ends[0]);
        if (!started)
        {
            Process.Libc->close(ends[1]);
            Interlocked.Decrement(ref record->MoreHolders);
            return -1;
        }
        return ends[1];
    }

    private static void Carry(int fd, ConnectionRecord* record, int pipe, bool lent)
    {
        PumpChunk inward = new(lent);
        PumpBuffer outward = new();
        int taken = Watch(pipe);
        EpollEvent news;
        PollDescriptor* wait = stackalloc PollDescriptor[3];
        bool gone = false;
        while (!outward.IsDone || !(inward.IsDone || gone))
        {
            short connection = (short)((inward.WantsMore && !gone ? Linux.POLLIN : 0) | (outward.HasBytes ? Linux.POLLOUT : 0));
            wait[0] = new PollDescriptor { Descriptor = connection == 0 ? -1 : fd, Events = connection };
            wait[1] = new PollDescriptor { Descriptor = gone && !outward.WantsMore ? -1 : pipe, Events = outward.WantsMore ? Linux.POLLIN : (short)0 };
            wait[2] = new PollDescriptor { Descriptor = inward.IsUnderWay && !gone ? taken : -1, Events = Linux.POLLIN };
            int ready = Poller.Poll(wait, 3, Sleep.Forever, null);
            if (ready is < 0 and not -Linux.EINTR) return;
            if (wait[2].Returned != 0) Process.Libc->epoll_wait(taken, &news, 1, 0);
            // Whoever has the program's end has closed it, not only shut down its output: no end of stream is passed on, there may be other descriptors.
            bool going = !gone && (wait[1].Returned & Linux.POLLHUP) != 0;
            gone |= going;
            inward.Settle(fd, record, pipe, gone);
            if (inward.WantsMore && !gone) gone = !inward.Fill(fd, record, pipe);
            if (outward.WantsMore) outward.Fill(pipe);
            if (!outward.Empty(fd, record, last: !gone)) return;
        }
    }

    /// <summary>A set that tells each time when the program has taken something from its socket.</summary>
    private static int Watch(int pipe)
    {
        int set = Process.Libc->epoll_create1(Linux.EPOLL_CLOEXEC);
        EpollEvent interest = new() { Events = Linux.EPOLLOUT | Linux.EPOLLET };
        if (set < 0 || set >= DescriptorFlags.Capacity) return set;
        // The number was the program's.
        Process.Flags[set] = 0;
        Process.Libc->epoll_ctl(set, Linux.EPOLL_CTL_ADD, pipe, &interest);
        return set;
    }
}
