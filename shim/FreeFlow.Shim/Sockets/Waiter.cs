using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// A blocking send or receive that has nothing to do: spins, then sleeps on the kernel socket and the doorbell together, so that neither road can
/// strand it. Follows <c>shim/models/doorbell.pml</c>.
/// </summary>
internal static unsafe class Waiter
{
    /// <summary>No deadline asked for yet: SO_RCVTIMEO or SO_SNDTIMEO is read before the first sleep.</summary>
    public const ulong Unknown = 0;

    /// <summary>A handler with SA_RESTART has run: the call is to be made anew, with what O_NONBLOCK and timeouts say now; one that has moved bytes already is over (signal(7)).</summary>
    public const int TakenUp = 1;

    /// <summary>Waits until a receive may succeed, or finds more than <paramref name="beyond"/> bytes in the ring, or, if <paramref name="urgent"/>, urgent data. 0, <see cref="TakenUp"/>, or −EINTR, or −EAGAIN when SO_RCVTIMEO has run out.</summary>
    public static int ForInput(int fd, ConnectionRecord* record, ref ulong deadline, long beyond = 0, bool urgent = false)
    {
        RingBlockHeader* incoming = Block.Incoming(record);
        ThreadRecord* thread = Process.Thread();
        uint signals = thread->SignalsHandled, interrupting = thread->InterruptingSignals;
        Spinner spinner = new(thread);
        if (Gate.Phase(&record->ReceiveGate) == DirectionPhase.Ring)
        {
            while (spinner.Continue())
            {
                if (RingReadiness.HasInput(record, incoming, beyond)) { spinner.Adapt(); return 0; }
                if (thread->SignalsHandled != signals) break;
            }
        }
        if (deadline == Unknown) deadline = SocketTimeouts.Deadline(fd, record, Linux.SO_RCVTIMEO);
        Doorbell.CountIn(record, &Connections.Local[Connections.IndexOf(record)].Sleepers);
        Doorbell.ArmReader(incoming);
        if (RingReadiness.HasInput(record, incoming, beyond)) { Sleeper.End(Doorbell.Sleepers(record)); return 0; }
        // Closed by another thread while this one was spinning: the number may be another file's by now.
        fd = Orphans.Reach(record, fd);
        if (fd < 0) { Sleeper.End(Doorbell.Sleepers(record)); return -Linux.EBADF; }
        int result = SleepOn(fd, record, Linux.POLLIN | Linux.POLLRDHUP | (urgent ? Linux.POLLPRI : 0), deadline, signals);
        spinner.Adapt();
        if ((Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.Dissolved) != 0) return -Linux.EPIPE;
        // A doorbell that is rung for nothing, again and again, must not keep the time from running out.
        if (result >= 0 && deadline != Sleep.Forever && Sleep.Left(deadline) == 0 && result != Finished && !RingReadiness.HasInput(record, incoming)) return -Linux.EAGAIN;
        return Outcome(result, deadline, thread, interrupting);
    }

    /// <summary>Waits until a send may succeed. 0, <see cref="TakenUp"/>, or −EINTR, −EAGAIN (SO_SNDTIMEO), −EPIPE when the peer's end of stream or an error was seen.</summary>
    public static int ForOutput(int fd, ConnectionRecord* record, ref ulong deadline)
    {
        RingBlockHeader* outgoing = Block.Outgoing(record);
        ThreadRecord* thread = Process.Thread();
        uint signals = thread->SignalsHandled, interrupting = thread->InterruptingSignals;
        Spinner spinner = new(thread);
        while (!ReturnMark.IsMirrored(record) && spinner.Continue())
        {
            if (RingReadiness.HasRoom(record, outgoing)) { spinner.Adapt(); return 0; }
            if (thread->SignalsHandled != signals) break;
        }
        if (deadline == Unknown) deadline = SocketTimeouts.Deadline(fd, record, Linux.SO_SNDTIMEO);
        Doorbell.CountIn(record, &Connections.Local[Connections.IndexOf(record)].Sleepers);
        Doorbell.ArmWriter(outgoing);
        if (RingReadiness.HasRoom(record, outgoing)) { Sleeper.End(Doorbell.Sleepers(record)); return 0; }
        fd = Orphans.Reach(record, fd);
        if (fd < 0) { Sleeper.End(Doorbell.Sleepers(record)); return -Linux.EBADF; }
        // The peer may be dead without having said so: the kernel's end of stream tells, or the doorbell's where the kernel's cannot come (a full receive buffer).
        int result = SleepOn(fd, record, Linux.POLLRDHUP, deadline, signals, BufferSizes.LookNanoseconds);
        spinner.Adapt();
        if (result == Finished) return -Linux.EPIPE;
        if (result >= 0 && deadline != Sleep.Forever && Sleep.Left(deadline) == 0 && !RingReadiness.HasRoom(record, outgoing)) return -Linux.EAGAIN;
        return Outcome(result, deadline, thread, interrupting);
    }

    /// <summary>Waits a moment, or until the kernel takes more of a return. 0, or −EINTR, or −EAGAIN (SO_SNDTIMEO).</summary>
    public static int ForReturn(int fd, ConnectionRecord* record, ref ulong deadline)
    {
        const ulong moment = 1_000_000;
        ThreadRecord* thread = Process.Thread();
        uint signals = thread->SignalsHandled, interrupting = thread->InterruptingSignals;
        if (deadline == Unknown) deadline = SocketTimeouts.Deadline(fd, record, Linux.SO_SNDTIMEO);
        ulong left = Sleep.Left(deadline);
        if (left == 0) return -Linux.EAGAIN;
        Doorbell.CountIn(record, &Connections.Local[Connections.IndexOf(record)].Sleepers);
        PollDescriptor wait = new() { Descriptor = fd, Events = ReturnPush.MustWaitForQueue(record, fd) ? (short)0 : Linux.POLLOUT };
        int result = Sleep.Poll(&wait, 1, left < moment ? left : moment, null, signals);
        Sleeper.End(Doorbell.Sleepers(record));
        return Outcome(result, deadline, thread, interrupting);
    }

    private const int Finished = 1 << 20;

    /// <summary>The caller has counted itself among the sleepers, armed and looked again; counted off here.</summary>
    private static int SleepOn(int fd, ConnectionRecord* record, int kernelEvents, ulong deadline, uint signals, ulong most = Sleep.Forever)
    {
        Session.Glance();
        PollDescriptor* wait = stackalloc PollDescriptor[2];
        wait[0] = new PollDescriptor { Descriptor = fd, Events = (short)kernelEvents };
        wait[1] = new PollDescriptor { Descriptor = Doorbell.ToSleepOn(record), Events = Linux.POLLIN };
        ulong left = Sleep.Left(deadline), limited = Trimmer.Limit(left);
        int result = Sleep.Poll(wait, 2, limited < most ? limited : most, null, signals);
        Sleeper.End(Doorbell.Sleepers(record));
        if (result == 0 && most < limited) return 0;
        if (result == 0 && limited < left) { Trimmer.AfterSleep(); return 0; }
        if (result <= 0) return result == 0 ? -Linux.EAGAIN : result;
        // Closed, or replaced, by another thread: ppoll, woken by a signal, says what it finds under the number then instead of EINTR, and by a doorbell what is not asked.
        if (wait[0].Returned != 0 && Orphans.Reach(record, fd) != fd)
        {
            if (wait[1].Returned == 0) return Process.CurrentThread()->SignalsHandled != signals ? -Linux.EINTR : 0;
            wait[0].Returned = 0;
        }
        bool gone = false;
        if (wait[1].Returned != 0)
        {
            gone = Doorbell.Drain(record, wait[1].Returned);
            Recall.AnswerAtOnce(record);
            // An epoll set that watches the same doorbell may have missed the edge that was just drained.
            Registrations.HeatMates(record);
        }
        if (wait[0].Returned != 0) Volatile.Write(ref record->KernelAttention, 1);
        return gone || (wait[0].Returned & (Linux.POLLRDHUP | Linux.POLLERR | Linux.POLLHUP)) != 0 ? Finished : 0;
    }

    private static int Outcome(int result, ulong deadline, ThreadRecord* thread, uint interrupting)
    {
        if (result is >= 0 or -Linux.EAGAIN) return result >= 0 ? 0 : -Linux.EAGAIN;
        // signal(7): a receive or send is taken up again after a handler with SA_RESTART, unless the socket has a timeout.
        if (result == -Linux.EINTR && deadline == Sleep.Forever && thread->InterruptingSignals == interrupting) return TakenUp;
        return result;
    }
}
