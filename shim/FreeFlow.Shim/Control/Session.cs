using System;
using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Contract.Messages;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Control;

/// <summary>
/// This process's session with the router. No thread waits for the router: calls on connections that are offered look at the mailbox word, and
/// only a raised one leads to a system call. A lost router is found at the next offer or glance and joined again at most once a second.
/// </summary>
internal static unsafe class Session
{
    private const ulong RetryNanoseconds = 1_000_000_000;
    private const ulong SleepNanoseconds = 10_000_000_000;
    private const uint CallsPerGlance = 256;
    private const ulong PatienceNanoseconds = 500_000_000;

    /// <summary>How soon it is looked for the router's answer to who it is, and for how long so often.</summary>
    private const ulong AnswerNanoseconds = 20_000_000, OpeningNanoseconds = 1_000_000_000;

    /// <summary>How long a socket is left alone behind which somebody else than the router was found.</summary>
    private const ulong DistrustNanoseconds = 60_000_000_000;

    private static int _control;      // 0: no session
    private static int _slot;
    private static uint _mailSeen;
    private static uint _unhandled;   // what Handled was when Hello was sent, plus the messages sent since
    private static uint _handledSeen; // what Handled was when the router was last seen to get on
    private static ulong _silentSince;
    private static ulong _nextAttempt;
    private static ulong _nextGlance;
    private static ulong _openedAt;
    private static bool _everConnected;
    private static bool _identified;  // who answers is known to be the router: Hello has shown it the family table
    private static bool _welcomed;
    private static bool _greeted;
    private static bool _distrusted;  // who answered last was not
    private static uint _calls;
    private static uint _lock;

    /// <summary>A forked child has no session of its own yet.</summary>
    public static void ForgetAfterFork()
    {
        if (_control > 0) OwnDescriptors.Close(_control);
        _control = 0;
        _everConnected = false;
        _distrusted = false;
        _nextAttempt = 0;
        _lock = 0;
    }

    /// <summary>Around fork: nobody may be half-way through a message.</summary>
    public static bool Hold() => ThreadLock.Enter(&LockWord()[0]);
    public static void Unhold() => ThreadLock.Exit(LockWord());

    /// <summary>Reads what the router has sent, if it has raised the mailbox. One load when it has not.</summary>
    public static void Look()
    {
        if (_control > 0 && Volatile.Read(ref Family.Slots[_slot].Mailbox) != _mailSeen) Drain();
    }

    /// <summary>Looks whether the router is still there, and for a new one if it is not. At most once a second does more than compare the time given.</summary>
    public static void Glance(ulong now)
    {
        if (now >= Volatile.Read(ref _nextGlance)) GlanceNow(now);
    }

    public static void Glance() => Glance(Process.Now());

    /// <summary>As <see cref="Glance()"/>, for calls that come often and read no clock: one in many reads it.</summary>
    public static void GlanceSometimes()
    {
        if (++_calls % CallsPerGlance == 0) Glance();
    }

    /// <summary>
    /// The time to sleep at most, out of <paramref name="left"/>: who sleeps for hours would not hear of a router that has been started anew, and be missing
    /// in its status.
    /// </summary>
    public static ulong Limit(ulong left)
    {
        if (!_everConnected) return left;
        ulong most = IsAsking() ? AnswerNanoseconds : SleepNanoseconds;
        return left > most ? most : left;
    }

    /// <summary>True while the router's answer to who it is can be there any moment.</summary>
    private static bool IsAsking() => _control > 0 && !_identified && Process.Now() - _openedAt < OpeningNanoseconds;

    private static void GlanceNow(ulong now)
    {
        if (!ThreadLock.Enter(LockWord())) return;
        int errno = Process.Errno;
        _nextGlance = now + RetryNanoseconds;
        // The end of the stream comes behind the messages, read or not.
        if (_control > 0) ReceiveAll();
        if (_control <= 0 && _everConnected) TryOpen();
        if (IsAsking()) _nextGlance = now + AnswerNanoseconds;
        Process.Errno = errno;
        ThreadLock.Exit(LockWord());
    }

    /// <summary>Shows a connection to the router. False if there is no router to show it to.</summary>
    public static bool Offer(uint connection, ConnectionRecord* record, int fd)
    {
        if (!ThreadLock.Enter(LockWord())) return false;
        bool sent = false;
        byte* buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        Span<byte> message = new(buffer, Protocol.MaximumMessageBytes);
        for (int attempt = 0; attempt < 2 && !sent; attempt++)
        {
            if (_control <= 0 && !TryOpen()) break;
            if (!IsAwake()) break;
            bool again = Reattachment.IsDetached(record);
            Offer offer = new() { Connection = connection, Generation = record->Generation, Scarce = OwnDescriptors.AreScarce && !again ? 1u : 0u, MarksSent = record->MarksSent, Place = again ? (uint)record->Capacity : 0 };
            sent = ControlSocket.Send(_control, message[..offer.Write(message)], fd);
            if (sent) { NoteSent(); break; }
            // A full socket is no lost router; the connection is offered again after some messages.
            if (Process.Errno is Linux.EAGAIN or Linux.ETOOMANYREFS or Linux.ENOMEM) break;
            Lose();
        }
        ThreadLock.Exit(LockWord());
        return sent;
    }

    /// <summary>Tells the router that a connection it was shown is closed.</summary>
    public static void Withdraw(uint connection, uint generation)
    {
        if (_control <= 0 || !ThreadLock.Enter(LockWord())) return;
        byte* buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        Span<byte> message = new(buffer, Protocol.MaximumMessageBytes);
        Withdraw withdraw = new() { Connection = connection, Generation = generation };
        if (_control > 0)
        {
            if (ControlSocket.Send(_control, message[..withdraw.Write(message)], -1)) NoteSent();
            else Lose();
        }
        ThreadLock.Exit(LockWord());
    }

    /// <summary>
    /// Asks the router to bring what is unread in a ring into the kernel, in place of a writer that does not come to it (<see cref="ReturnRequest"/>). False while the router has
    /// still to say who it is. Harmless if there is none, or it may not look into other programs: the bytes wait for the writer's next call.
    /// </summary>
    public static bool TryRequestReturn(uint connection, uint generation, uint direction)
    {
        if (!ThreadLock.Enter(LockWord())) return false;
        byte* buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        Span<byte> message = new(buffer, Protocol.MaximumMessageBytes);
        ReturnRequest request = new() { Connection = connection, Generation = generation, Direction = direction };
        int errno = Process.Errno;
        // A child that has just been forked has no session of its own yet; what a vfork child opens its parent would not have.
        bool own = !Process.IsBorrowedMemory;
        if (own && _control <= 0) TryOpen();
        if (own && _control > 0 && !_identified) ReceiveAll();
        bool over = _control <= 0 || _identified || !own;
        if (_control > 0 && _identified)
        {
            if (ControlSocket.Send(_control, message[..request.Write(message)], -1)) NoteSent();
            else if (Process.Errno is not (Linux.EAGAIN or Linux.ENOMEM) && own) Lose();
        }
        Process.Errno = errno;
        ThreadLock.Exit(LockWord());
        return over;
    }

    /// <summary>
    /// Asks the router to write into a socket's own queue (<see cref="RefillRequest"/>). False if there is no router; it is not <paramref
    /// name="told"/> while it has still to say who it is.
    /// </summary>
    public static bool TryRequestRefill(int fd, int memory, out bool told)
    {
        told = false;
        if (!ThreadLock.Enter(LockWord())) return false;
        byte* buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        Span<byte> message = new(buffer, Protocol.MaximumMessageBytes);
        int* descriptors = stackalloc int[2] { fd, memory };
        int errno = Process.Errno;
        // As above.
        bool own = !Process.IsBorrowedMemory;
        if (own && _control <= 0) TryOpen();
        if (own && _control > 0 && !_identified) ReceiveAll();
        bool there = _control > 0 && (own || _identified);
        if (there && _identified)
        {
            told = ControlSocket.Send(_control, message[..new RefillRequest().Write(message)], descriptors, 2);
            there = told || Process.Errno is Linux.EAGAIN or Linux.ENOMEM;
            if (told) NoteSent();
        }
        Process.Errno = errno;
        ThreadLock.Exit(LockWord());
        return there;
    }

    /// <summary>Sleeps until the router has sent something and handles it; false if it has not in time, or has gone.</summary>
    public static bool WaitForMessage(ulong nanoseconds)
    {
        if (_control <= 0) return false;
        PollDescriptor wait = new() { Descriptor = _control, Events = Linux.POLLIN };
        TimeSpec time = new() { Seconds = (long)(nanoseconds / 1_000_000_000), Nanoseconds = (long)(nanoseconds % 1_000_000_000) };
        if (Process.Libc->ppoll(&wait, 1, &time, null) <= 0) return false;
        Drain();
        return _control > 0;
    }

    public static bool IsOpen => _control > 0;

    /// <summary>True while the router's answer to Hello is to come: an offer is worth another attempt soon.</summary>
    public static bool IsOpening => _control > 0 && !_greeted;

    /// <summary>True if there is no router to show anything to.</summary>
    public static bool IsAbsent => _control <= 0;

    /// <summary>True if there is none, and it is too early to look for one again.</summary>
    public static bool IsOutOfReach => _control <= 0 && Process.Now() < _nextAttempt;

    /// <summary>Why there is no session.</summary>
    public static Reason Obstacle => _distrusted ? Reason.UntrustedRouter : Reason.NoRouter;

    /// <summary>
    /// False until the router has dealt with Hello, and while it has not got on for a while with what it was sent. A socket on its way to a router that stands still is
    /// held open there: its peer would not hear of this process's end.
    /// </summary>
    private static bool IsAwake()
    {
        if (!_identified) ReceiveAll();
        if (!_identified) return false;
        uint handled = Volatile.Read(ref Family.Slots[_slot].Handled);
        bool all = (int)(_unhandled - handled) <= 0;
        _greeted = _greeted || all;
        if (all || !_greeted) return all;
        ulong now = Process.Now();
        // A router with much to do is never seen to have dealt with everything, but it gets on.
        if (handled != _handledSeen) { _handledSeen = handled; _silentSince = now; }
        return now - _silentSince < PatienceNanoseconds;
    }

    private static void NoteSent()
    {
        if ((int)(_unhandled - Volatile.Read(ref Family.Slots[_slot].Handled)) <= 0) _silentSince = Process.Now();
        _unhandled++;
    }

    /// <summary>FREEFLOW_JOIN=wait, for a session that has just been opened: sleeps until the router has dealt with Hello. False if there is none, or it has not.</summary>
    public static bool WaitForWelcome(ulong nanoseconds)
    {
        ulong end = Process.Now() + nanoseconds;
        for (ulong now = Process.Now(); IsOpening && now < end; now = Process.Now())
        {
            if (!_welcomed && !WaitForMessage(end - now)) return false;
            // The answer comes a moment before the count.
            if (_welcomed && IsAwake()) return true;
            if (_welcomed) Process.Libc->sched_yield();
        }
        return _control > 0 && _greeted;
    }

    private static bool TryOpen()
    {
        ulong now = Process.Now();
        if (now < _nextAttempt) return false;
        _nextAttempt = now + RetryNanoseconds;
        return Open();
    }

    /// <summary>Connects, and asks who answers; nothing is shown before that is known.</summary>
    private static bool Open()
    {
        int slot = Family.TakeSlot();
        if (slot < 0) return false;
        int control = ControlSocket.Connect(Settings.SocketPath);
        if (control < 0) { _distrusted = false; Log.NoRouter(Settings.SocketPath); return false; }
        _slot = slot;
        _identified = _welcomed = _greeted = false;
        _mailSeen = Volatile.Read(ref Family.Slots[slot].Mailbox);
        _openedAt = Process.Now();
        _control = control;
        if (!RouterIdentity.IsTrustedUser(control, Settings.SocketPath)) { Distrust(); return false; }
        if (SayHello(-1)) return true;
        Lose();
        return false;
    }

    /// <summary>The first Hello comes without the family table and asks who is there; the second one shows it.</summary>
    private static bool SayHello(int table)
    {
        byte* buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        byte* program = stackalloc byte[Protocol.MaximumNameBytes];
        Hello hello = new()
        {
            ProtocolVersion = Protocol.Version,
            Slot = (uint)_slot,
            ProcessId = (uint)Process.Id,
            ProgramName = new ReadOnlySpan<byte>(program, ReadProgramName(program)),
            ContainerName = Name(Settings.ContainerName),
        };
        Span<byte> message = new(buffer, Protocol.MaximumMessageBytes);
        return ControlSocket.Send(_control, message[..hello.Write(message)], table);
    }

    /// <summary>The router has shown from where it sees this process.</summary>
    private static void Identify(int pidNamespace)
    {
        if (!RouterIdentity.IsSeenFrom(pidNamespace)) { Distrust(); return; }
        uint handled = Volatile.Read(ref Family.Slots[_slot].Handled);
        if (!SayHello(Family.Descriptor)) { Lose(); return; }
        _unhandled = handled + 1;
        _silentSince = Process.Now();
        _identified = true;
        _everConnected = true;
        _distrusted = false;
    }

    private static void Distrust()
    {
        Lose();
        _distrusted = true;
        _nextAttempt = Process.Now() + DistrustNanoseconds;
        Log.UntrustedRouter(Settings.SocketPath);
    }

    /// <summary>The session is gone: what was offered starts over; what has a ring keeps it.</summary>
    private static void Lose()
    {
        OwnDescriptors.Close(_control);
        _control = 0;
        Offering.ForgetOffers();
    }

    private static void Drain()
    {
        if (!ThreadLock.Enter(LockWord())) return;
        int errno = Process.Errno;
        ReceiveAll();
        Process.Errno = errno;
        ThreadLock.Exit(LockWord());
    }

    private static void ReceiveAll()
    {
        byte* buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        Span<byte> message = new(buffer, Protocol.MaximumMessageBytes);
        int* descriptors = stackalloc int[Protocol.MaximumDescriptors];
        _mailSeen = Volatile.Read(ref Family.Slots[_slot].Mailbox);
        while (_control > 0)
        {
            int length = ControlSocket.Receive(_control, message, descriptors, out int count);
            if (length < 0) break;
            if (length == 0) { Lose(); break; }
            Handle(message[..length], descriptors, count);
        }
    }

    private static void Handle(ReadOnlySpan<byte> message, int* descriptors, int count)
    {
        if (!_identified)
        {
            bool understood = Welcome.TryRead(message, out Welcome who) && who.ProtocolVersion == Protocol.Version && count == 1;
            if (understood) Identify(descriptors[0]);
            else Lose();
            for (int i = 0; i < count; i++) ControlSocket.CloseStranger(descriptors[i]);
            if (!understood) Log.Line("the router sent a message this shim does not know; update both to one version\n"u8);
            return;
        }
        if (Join.TryRead(message, out Join join) && count == (join.Mate == 0 ? 2 : 1))
        {
            Joining.Take(join, descriptors);
            return;
        }
        for (int i = 0; i < count; i++) Process.Libc->close(descriptors[i]);
        if (Refuse.TryRead(message, out Refuse refuse)) Offering.Refused(refuse);
        else if (Welcome.TryRead(message, out Welcome welcome) && welcome.ProtocolVersion == Protocol.Version) _welcomed = true;
        else
        {
            Log.Line("the router sent a message this shim does not know; update both to one version\n"u8);
        }
    }

    internal static int ReadProgramName(byte* name)
    {
        int fd, length = 0;
        fixed (byte* path = "/proc/self/comm\0"u8) fd = Process.Libc->open(path, Linux.SOCK_CLOEXEC);
        if (fd < 0) return 0;
        nint count = Process.Libc->read(fd, name, 15);
        Process.Libc->close(fd);
        while (length < count && name[length] != '\n') length++;
        return length;
    }

    internal static ReadOnlySpan<byte> Name(byte* text)
    {
        int length = 0;
        if (text != null) while (length < Protocol.MaximumNameBytes && text[length] != 0) length++;
        return new ReadOnlySpan<byte>(text, length);
    }

    private static uint* LockWord() => (uint*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref _lock);
}
