using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// The last resort for a program that takes over a connection whose ring it cannot read, when the peer cannot send again what is unread there, because it has ended its
/// stream, or does not answer: a small process stays behind that carries the bytes between the connection and a Unix socket, which the program gets in its place.
/// </summary>
internal static unsafe class Pump
{
    /// <summary>The descriptor to use in place of <paramref name="fd"/>, close-on-exec; −1 if there can be none.</summary>
    public static int Start(int fd, ConnectionRecord* record)
    {
        int* ends = stackalloc int[2];
        if ((record->Flags & (uint)ConnectionFlags.Pumped) != 0) return -1;
        if (Process.Libc->socketpair(Linux.AF_UNIX, Linux.SOCK_STREAM | Linux.SOCK_CLOEXEC, 0, ends) != 0) return -1;
        Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.Pumped);
        Interlocked.Increment(ref record->MoreHolders);
        bool started = LeftBehind.Start(out bool here);
        if (here)
        {
            LeftBehind.Become(fd, ends[0], record->Doorbell);
            Holders.Name(record, Process.Id);
            Carry(fd, record, ends[0]);
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

    private static void Carry(int fd, ConnectionRecord* record, int pipe)
    {
        PumpBuffer inward = new(), outward = new();
        PollDescriptor* wait = stackalloc PollDescriptor[2];
        bool gone = false;
        while (!outward.IsDone || !(inward.IsDone || gone))
        {
            short connection = (short)((inward.WantsMore && !gone ? Linux.POLLIN : 0) | (outward.HasBytes ? Linux.POLLOUT : 0));
            short program = (short)((outward.WantsMore ? Linux.POLLIN : 0) | (inward.HasBytes ? Linux.POLLOUT : 0));
            wait[0] = new PollDescriptor { Descriptor = connection == 0 ? -1 : fd, Events = connection };
            wait[1] = new PollDescriptor { Descriptor = gone && !outward.WantsMore ? -1 : pipe, Events = program };
            int ready = Poller.Poll(wait, 2, Sleep.Forever, null);
            if (ready is < 0 and not -Linux.EINTR) return;
            // Whoever has the program's end has closed it, not only shut down its output: no end of stream is passed on, there may be other descriptors.
            gone |= (wait[1].Returned & Linux.POLLHUP) != 0;
            if (inward.WantsMore && !gone) inward.Fill(fd, record);
            if (outward.WantsMore) outward.Fill(pipe, null);
            if (!gone && !inward.Empty(pipe, null, last: true)) gone = true;
            if (!outward.Empty(fd, record, last: !gone)) return;
        }
    }
}
