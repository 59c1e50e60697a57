using System;
using FreeFlow.Contract;
using FreeFlow.Contract.Messages;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Verbs;

/// <summary>
/// This process's verbs session with the router: one request at a time, whose answer the caller waits for. Opened by the first ibv_get_device_list(3); nothing on the data path comes here
/// but the first use of a remote key.
/// </summary>
internal static unsafe class VerbsSession
{
    public const int MostDescriptors = Protocol.MaximumDescriptors;

    private const int AnswerMilliseconds = 10_000;

    private static int _control;
    private static uint _sequence, _lock;
    private static int _owner;

    /// <summary>Of how many sessions this is the last: what one router has numbered says nothing to another.</summary>
    public static uint Generation { get; private set; }

    /// <summary>True once a router has answered, in this process and not its parent.</summary>
    public static bool IsOpen => _control > 0 && _owner == Process.Id;

    /// <summary>Opens the session if there is none. False without a router.</summary>
    public static bool Open()
    {
        if (!ThreadLock.Enter(LockWord())) return false;
        int errno = Process.Errno;
        if (!IsOpen && !Process.IsBorrowedMemory) Connect();
        bool open = IsOpen && RegionTable.Create();
        if (open) Gids.Refresh();
        Process.Errno = errno;
        ThreadLock.Exit(LockWord());
        return open;
    }

    /// <summary>Number for the next request, which is asked under the lock that this takes. 0 if there is no session.</summary>
    public static uint Begin()
    {
        if (!ThreadLock.Enter(LockWord())) return 0;
        if (!IsOpen) { ThreadLock.Exit(LockWord()); return 0; }
        if (++_sequence == 0) _sequence = 1;
        return _sequence;
    }

    public static void End() => ThreadLock.Exit(LockWord());

    /// <summary>Asks, and waits for the answer. Its length, or 0: the session is lost then.</summary>
    /// <param name="message">The request.</param>
    /// <param name="shown">Descriptors beside it.</param>
    /// <param name="shownCount">How many.</param>
    /// <param name="answer">Room for a message.</param>
    /// <param name="got">Room for <see cref="MostDescriptors"/> descriptors, the caller's to close.</param>
    /// <param name="gotCount">How many came.</param>
    public static int Ask(ReadOnlySpan<byte> message, int* shown, int shownCount, Span<byte> answer, int* got, out int gotCount)
    {
        gotCount = 0;
        if (!ControlSocket.Send(_control, message, shown, shownCount)) { Lose(); return 0; }
        ulong end = Process.Now() + (AnswerMilliseconds * 1_000_000UL);
        while (true)
        {
            int length = ControlSocket.Receive(_control, answer, got, out gotCount);
            if (length > 0) return length;
            if (length == 0 || Process.Now() > end) { Lose(); return 0; }
            PollDescriptor wait = new() { Descriptor = _control, Events = Linux.POLLIN };
            Process.Libc->poll(&wait, 1, 100);
        }
    }

    /// <summary>As <see cref="Ask"/>, for requests that are answered by status and value. 0, or an errno.</summary>
    public static int AskPlain(ReadOnlySpan<byte> message, uint sequence, int* shown, int shownCount, out ulong value)
    {
        byte* buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        int* got = stackalloc int[MostDescriptors];
        int length = Ask(message, shown, shownCount, new Span<byte>(buffer, Protocol.MaximumMessageBytes), got, out int count);
        Close(got, count);
        value = 0;
        if (length == 0) return Numbers.EIO;
        if (!VerbsReply.TryRead(new ReadOnlySpan<byte>(buffer, length), out VerbsReply reply) || reply.Sequence != sequence) { Lose(); return Numbers.EIO; }
        value = reply.Value;
        return (int)reply.Status;
    }

    public static void Close(int* descriptors, int count)
    {
        for (int i = 0; i < count; i++) Process.Libc->close(descriptors[i]);
    }

    /// <summary>The router has gone, or does not answer as it should: what is connected goes on without it.</summary>
    public static void Lose()
    {
        if (_control > 0) OwnDescriptors.Close(_control);
        _control = 0;
    }

    /// <summary>Who listens must be the host's router before it is shown anything (<see cref="RouterIdentity"/>).</summary>
    private static void Connect()
    {
        _control = ControlSocket.Connect(Settings.SocketPath);
        if (_control <= 0) { _control = 0; Log.NoRouter(Settings.SocketPath); return; }
        if (!RouterIdentity.IsTrustedUser(_control, Settings.SocketPath)) { Lose(); Log.UntrustedRouter(Settings.SocketPath); return; }
        byte* buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        int* got = stackalloc int[MostDescriptors];
        Span<byte> room = new(buffer, Protocol.MaximumMessageBytes);
        byte* program = stackalloc byte[Protocol.MaximumNameBytes];
        VerbsHello hello = new()
        {
            ProtocolVersion = VerbsProtocol.Version, ProcessId = (uint)Process.Id,
            ProgramName = new ReadOnlySpan<byte>(program, Session.ReadProgramName(program)), ContainerName = Session.Name(Settings.ContainerName),
        };
        int length = Ask(room[..hello.Write(room)], null, 0, room, got, out int count);
        bool answered = length > 0 && VerbsReply.TryRead(room[..length], out VerbsReply reply) && reply.Status == 0 && count == 1;
        bool trusted = answered && RouterIdentity.IsSeenFrom(got[0]);
        Close(got, count);
        if (answered && !trusted) Log.UntrustedRouter(Settings.SocketPath);
        if (!trusted) Lose();
        else { _owner = Process.Id; Generation++; }
    }

    /// <summary>In a forked child: the session is its parent's.</summary>
    public static void ForgetAfterFork()
    {
        Lose();
        _lock = 0;
    }

    private static uint* LockWord() => (uint*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref _lock);
}
