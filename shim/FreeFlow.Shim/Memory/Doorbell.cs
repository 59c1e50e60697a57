using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Memory;

/// <summary>
/// Wakes the other side, only if it said that it sleeps. Follows <c>shim/models/doorbell.pml</c>: who sleeps sets its Waiting word, fences, looks
/// again and then sleeps; who has something to tell publishes it, fences, and rings if it is the one that takes the word back to 0.
/// The bell is a pair of connected Unix stream sockets, an end for each side. Not an eventfd: both sides would share its open file, and a hostile peer could
/// fill it and clear O_NONBLOCK, so that a ring would block (eventfd(2)).
/// </summary>
internal static unsafe class Doorbell
{
    private const int MostAtOnce = 256;

    /// <summary>Tells the peer's reader that bytes or a new state are published.</summary>
    public static void NotifyReader(ConnectionRecord* connection, RingBlockHeader* outgoing)
    {
        Interlocked.MemoryBarrier();
        NotifyReaderAfterFence(connection, outgoing);
    }

    /// <summary>As <see cref="NotifyReader"/>, for a caller that has fenced since it published.</summary>
    public static void NotifyReaderAfterFence(ConnectionRecord* connection, RingBlockHeader* outgoing)
    {
        if (Volatile.Read(ref outgoing->ReaderWaiting) == 0 || Interlocked.Exchange(ref outgoing->ReaderWaiting, 0) == 0) return;
        Ring(connection);
        // Who has asked for these bytes by the kernel does not read them here (shim/models/localreturn.pml).
        Recall.AnswerAtOnce(connection);
    }

    /// <summary>Tells the peer's writer that there is room again.</summary>
    public static void NotifyWriter(ConnectionRecord* connection, RingBlockHeader* incoming)
    {
        Interlocked.MemoryBarrier();
        NotifyWriterAfterFence(connection, incoming);
    }

    /// <summary>As <see cref="NotifyWriter"/>, for a caller that has fenced since it gave the space back.</summary>
    public static void NotifyWriterAfterFence(ConnectionRecord* connection, RingBlockHeader* incoming)
    {
        if (Volatile.Read(ref incoming->WriterWaiting) != 0 && Interlocked.Exchange(ref incoming->WriterWaiting, 0) != 0) Ring(connection);
    }

    /// <summary>Wakes the peer whether it has said that it sleeps or not: a request that it would not look for otherwise.</summary>
    public static void RingAlways(ConnectionRecord* connection) => Ring(connection);

    public static void ArmReader(RingBlockHeader* incoming) => Interlocked.Exchange(ref incoming->ReaderWaiting, 1);

    public static void ArmWriter(RingBlockHeader* outgoing) => Interlocked.Exchange(ref outgoing->WriterWaiting, 1);

    /// <summary>
    /// Counts this thread among those that sleep in poll(2) on the doorbell; before it arms. Under the lock: whoever empties the doorbell has either seen
    /// this sleeper or is done, so that what rings for it from now on stays.
    /// </summary>
    public static void CountIn(ConnectionRecord* connection, int* ownSleepers)
    {
        DoorbellState* state = State(connection);
        bool locked = ThreadLock.Enter(&state->Lock);
        Sleeper.Begin(&state->Sleepers, ownSleepers);
        if (locked) ThreadLock.Exit(&state->Lock);
    }

    /// <summary>As above, for a thread that sleeps on several.</summary>
    public static void CountIn(ConnectionRecord* connection)
    {
        DoorbellState* state = State(connection);
        bool locked = ThreadLock.Enter(&state->Lock);
        Interlocked.Increment(ref state->Sleepers);
        if (locked) ThreadLock.Exit(&state->Lock);
    }

    /// <summary>The counter in which a sleeper of this connection stands.</summary>
    public static int* Sleepers(ConnectionRecord* connection) => &State(connection)->Sleepers;

    /// <summary>The descriptor to poll for POLLIN; −1, which poll(2) passes over, once the peer's end is closed and would be reported for ever.</summary>
    public static int ToSleepOn(ConnectionRecord* connection) =>
        (Volatile.Read(ref connection->Flags) & (uint)ConnectionFlags.DoorbellGone) != 0 ? -1 : connection->Doorbell;

    /// <summary>
    /// Empties the own doorbell after a poll(2) that <paramref name="reported"/> it, unless another thread still sleeps on it and would miss its wake-up. That
    /// one has been woken too and will soon have counted itself out; if it never does it was killed, or a handler has jumped out of its poll, and it counts
    /// no more. True if the peer's end is closed.
    /// </summary>
    public static bool Drain(ConnectionRecord* connection, short reported)
    {
        if ((reported & (Linux.POLLHUP | Linux.POLLERR)) != 0) NoteGone(connection);
        else if (MayEmpty(connection)) Take(connection, MostAtOnce);
        return (Volatile.Read(ref connection->Flags) & (uint)ConnectionFlags.DoorbellGone) != 0;
    }

    private static bool MayEmpty(ConnectionRecord* connection)
    {
        DoorbellState* state = State(connection);
        if (Volatile.Read(ref state->Sleepers) > 0)
        {
            uint refused = ++state->DrainsRefused, users = Volatile.Read(ref state->Users);
            // Those that sleep for other connections have been woken, too: until they have counted themselves out, nobody who is back to sleep would sleep.
            if (users > 1) LetOthersWake();
            else if (refused < RefusalsAtOnce) return false;
            else Process.Libc->poll(null, 0, 1);
            // One that waits for a processor among hundreds of others is not gone: emptied before it has looked, the bell would leave it asleep.
            ulong now = Process.Now(), since = Volatile.Read(ref state->RefusedSince);
            if (since == 0) Volatile.Write(ref state->RefusedSince, now);
            if (since == 0 || refused < MostRefusals || now < since + LongestWayNanoseconds) return false;
            Volatile.Write(ref state->Sleepers, 0);
        }
        state->DrainsRefused = 0;
        state->RefusedSince = 0;
        return true;
    }

    /// <summary>Who closes its doorbell has closed its connections, or is dead: no byte will come or be read by the ring any more, and the kernel knows which.</summary>
    /// <remarks>What a caller has seen may have been said of a doorbell that has been replaced since (<see cref="Reattachment"/>): it is asked once more, under the lock.</remarks>
    public static void NoteGone(ConnectionRecord* connection)
    {
        DoorbellState* state = State(connection);
        bool locked = state != null && ThreadLock.Enter(&state->Lock);
        int errno = Process.Errno;
        PollDescriptor look = new() { Descriptor = connection->Doorbell };
        if (Process.Libc->poll(&look, 1, 0) > 0 && (look.Returned & (Linux.POLLHUP | Linux.POLLERR | Linux.POLLNVAL)) != 0) MarkGone(connection);
        Process.Errno = errno;
        if (locked) ThreadLock.Exit(&state->Lock);
    }

    private static void MarkGone(ConnectionRecord* connection)
    {
        Interlocked.Or(ref connection->Flags, (uint)ConnectionFlags.DoorbellGone);
        Volatile.Write(ref connection->KernelAttention, 1);
    }

    /// <summary>Keeps a doorbell from being slept on, emptied or found closed while another one takes its place; false if somebody sleeps on it.</summary>
    public static bool TryHold(ConnectionRecord* connection)
    {
        DoorbellState* state = State(connection);
        if (!ThreadLock.Enter(&state->Lock)) return false;
        if (Volatile.Read(ref state->Sleepers) <= 0) return true;
        ThreadLock.Exit(&state->Lock);
        return false;
    }

    public static void Unhold(ConnectionRecord* connection) => ThreadLock.Exit(&State(connection)->Lock);

    private const uint RefusalsAtOnce = 64, MostRefusals = 500;

    /// <summary>From a wake-up to the woken thread's next look, on a machine with far more to do than it can.</summary>
    private const ulong LongestWayNanoseconds = 2_000_000_000;

    /// <summary>
    /// After an epoll set has reported the doorbell. It is registered edge triggered and left readable, or the event would be lost to other sets that have
    /// not come to it yet: only what has gathered beyond one byte is taken. Each time: a socket that is full then has had bytes since, and their event is
    /// still to be reported.
    /// </summary>
    public static void Heard(ConnectionRecord* connection)
    {
        int waiting;
        if (Process.Libc->ioctl(connection->Doorbell, Linux.FIONREAD, &waiting) == 0 && waiting > 1) Take(connection, (nuint)(waiting - 1));
    }

    private static void Take(ConnectionRecord* connection, nuint most)
    {
        DoorbellState* state = State(connection);
        if (!ThreadLock.Enter(&state->Lock)) return;
        int errno = Process.Errno;
        byte* bytes = stackalloc byte[MostAtOnce];
        int flags = Volatile.Read(ref state->Sleepers) <= 0 ? Linux.MSG_DONTWAIT : Linux.MSG_DONTWAIT | Linux.MSG_PEEK;
        nint taken = Process.Libc->recv(connection->Doorbell, bytes, most < MostAtOnce ? most : MostAtOnce, flags);
        if (taken == 0 || (taken < 0 && Process.Errno is not (Linux.EAGAIN or Linux.EINTR))) MarkGone(connection);
        Process.Errno = errno;
        ThreadLock.Exit(&state->Lock);
    }

    /// <summary>Looks whether the peer's end is closed, for a sender that does not sleep on the doorbell.</summary>
    public static void LookForPeer(ConnectionRecord* connection)
    {
        if (ToSleepOn(connection) >= 0) NoteGone(connection);
    }

    private static void LetOthersWake()
    {
        const long nanoseconds = 50_000;
        TimeSpec time = new() { Nanoseconds = nanoseconds };
        int errno = Process.Errno;
        Process.Libc->ppoll(null, 0, &time, null);
        Process.Errno = errno;
    }

    private static DoorbellState* State(ConnectionRecord* connection) => (DoorbellState*)connection->DoorbellState;

    /// <summary>
    /// Never blocks, whatever the peer does to its own end: the flag is this call's. A full socket means that the peer has more than a hundred rings to hear
    /// already.
    /// </summary>
    private static void Ring(ConnectionRecord* connection)
    {
        byte one = 1;
        int errno = Process.Errno;
        // Nobody reads the ring of a peer that is dead: the kernel says what there is to say from now on.
        if (Process.Libc->send(connection->Doorbell, &one, 1, Linux.MSG_DONTWAIT | Linux.MSG_NOSIGNAL) < 0 && Process.Errno == Linux.EPIPE) NoteGone(connection);
        Process.Errno = errno;
    }

    /// <summary>Adds one to an eventfd of the shim's own; errno untouched.</summary>
    public static void Write(int nudge)
    {
        ulong one = 1;
        int errno = Process.Errno;
        Process.Libc->write(nudge, (byte*)&one, sizeof(ulong));
        Process.Errno = errno;
    }
}
