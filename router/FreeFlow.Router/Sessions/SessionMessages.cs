using System;
using System.Collections.Generic;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Contract.Messages;
using FreeFlow.Native;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Observe;
using FreeFlow.Router.Verbs;

namespace FreeFlow.Router.Sessions;

/// <summary>Reads the messages of sessions and acts on them. Whatever is not exactly as the contract says ends that session and no other.</summary>
internal sealed class SessionMessages(Broker broker, StatusService status, Statistics statistics, Log log)
{
    private const int MessagesPerTurn = 32; // so that one busy process does not hold up the others

    /// <summary>By this a process knows which router it speaks to.</summary>
    private static readonly int s_pidNamespace = Libc.open("/proc/self/ns/pid", Libc.O_RDONLY | Libc.O_CLOEXEC);

    private readonly Dictionary<(ulong Device, ulong Inode), Family> _families = [];
    private readonly VerbsMessages _verbs = new(broker.Verbs, broker.Questions, s_pidNamespace);

    /// <summary>What the last message was, for whoever finds that it took long.</summary>
    public MessageType Last { get; private set; }

    /// <summary>Families with at least one session.</summary>
    public IReadOnlyCollection<Family> Families => _families.Values;

    /// <summary>Deals with what waits on the session's socket. A session that must end has <see cref="Session.Failure"/> set.</summary>
    public void Receive(Session session)
    {
        Span<byte> packet = stackalloc byte[Protocol.MaximumMessageBytes];
        // Room for as many as the kernel carries: those that found none it would close in this thread, and a socket's close may wait (SO_LINGER).
        Span<int> descriptors = stackalloc int[SeqPacket.MostDescriptors];
        bool crowded = false;
        for (int i = 0; i < MessagesPerTurn && session is { Failure: null, IsAsking: false }; i++)
        {
            // A session that makes this router wait to close what it has sent waits itself.
            if (crowded || ForeignDescriptors.HasTooMany(session)) { session.IsPaused = true; return; }
            int length = SeqPacket.Receive(session.Socket, packet, descriptors, out int count, out bool truncated, out bool lost, Libc.MSG_DONTWAIT);
            if (length < 0)
            {
                if (Errno.Last == Errno.EAGAIN) return;
                if (Errno.Last != Errno.EINTR) session.Fail(Session.Gone);
                continue;
            }
            try
            {
                if (truncated || count > Protocol.MaximumDescriptors) session.Fail("malformed message: too long, or too many descriptors");
                else if (lost) HandleWithoutDescriptors(session, packet[..length]);
                else if (length == 0) session.Fail(count == 0 ? Session.Gone : "malformed message: empty");
                else Handle(session, packet[..length], descriptors[..count]);
            }
            finally
            {
                foreach (int descriptor in descriptors[..count])
                {
                    if (descriptor < 0) continue;
                    crowded |= DescriptorReserve.IsTooHigh(descriptor);
                    ForeignDescriptors.Close(descriptor, session.Account, session);
                }
                if (!session.IsAsking) session.Family?.RaiseHandled(session.Slot);
            }
        }
    }

    /// <summary>The answer is there that it was waiting for.</summary>
    public static void EndQuestion(Session session)
    {
        session.IsAsking = false;
        session.Family?.RaiseHandled(session.Slot);
    }

    /// <summary>Gives back what a closed session held; false if that is not all yet. Whatever a fault in it leaves is given up.</summary>
    public bool EndSession(Session session)
    {
        bool done = true;
        try { done = _verbs.EndSession(session) && broker.EndSession(session); }
        finally { if (done) Leave(session); }
        return done;
    }

    private void Leave(Session session)
    {
        if (session.Family is not { } family) return;
        session.Family = null;
        family.Sessions.Remove(session);
        if (family.Sessions.Count > 0) return;
        _families.Remove(family.Identity);
        statistics.Keep(family.RingBytes, family.StrictlyRefused);
        statistics.Ended.Keep(session, family);
        family.Release(session.Account);
    }

    private void Handle(Session session, ReadOnlySpan<byte> message, Span<int> descriptors)
    {
        MessageType type = message.Length > 1 ? (MessageType)message[1] : 0;
        Last = type;
        switch (type)
        {
            case MessageType.Hello when descriptors.IsEmpty && session is { Family: null, HasAsked: false } && Hello.TryRead(message, out Hello question):
                Identify(session, question);
                return;
            case MessageType.Hello when descriptors.Length == 1 && Hello.TryRead(message, out Hello hello):
                if (session.Family is null) Greet(session, hello, ref descriptors[0]);
                else session.Fail("malformed message: a second Hello");
                return;
            case MessageType.Offer when session.Family is not null && descriptors.Length == 1 && Offer.TryRead(message, out Offer offer) && offer.Connection < FamilyLayout.RecordCount:
                if (broker.Offer(session, offer, descriptors[0])) descriptors[0] = -1;
                return;
            case MessageType.Withdraw when session.Family is not null && descriptors.IsEmpty && Withdraw.TryRead(message, out Withdraw withdraw):
                broker.Withdraw(session, withdraw);
                return;
            case MessageType.ReturnRequest when session.Family is not null && descriptors.IsEmpty && ReturnRequest.TryRead(message, out ReturnRequest wanted):
                broker.Return(session, wanted);
                return;
            case MessageType.RefillRequest when session.Family is not null && descriptors.Length == 2 && RefillRequest.TryRead(message, out _):
                Broker.Refill(session, descriptors[0], descriptors[1]);
                descriptors.Fill(-1);
                return;
            case MessageType.StatusRequest when (session.Family is not null || session.HasAsked) && descriptors.Length <= 1 && StatusRequest.TryRead(message, out StatusRequest request):
                if (request.Version == StatusRequest.CurrentVersion) status.Answer(session, Families);
                else session.Fail($"it asks for the status in version {request.Version}, this router answers in {StatusRequest.CurrentVersion}");
                return;
            case >= MessageType.VerbsHello and <= MessageType.VerbsCmEvent:
                _verbs.Handle(session, type, message, descriptors);
                return;
            default:
                session.Fail($"malformed message: type {(int)type}, {message.Length} bytes, {descriptors.Length} descriptors{(session.Family is null ? ", before Hello" : "")}");
                return;
        }
    }

    /// <summary>This router's own want, not the sender's fault: its connection stays in the kernel.</summary>
    private void HandleWithoutDescriptors(Session session, ReadOnlySpan<byte> message)
    {
        if (message.Length > 1 && (MessageType)message[1] == MessageType.Offer && session.Family is not null && Offer.TryRead(message, out Offer offer) && offer.Connection < FamilyLayout.RecordCount)
            broker.RefuseUnseen(session, offer);
        else session.Fail("this router has no descriptors left for what it has shown");
    }

    /// <summary>Shows the process from where the router sees it, before it shows anything itself. Once a session: what is queued is held open by this router.</summary>
    private void Identify(Session session, in Hello hello)
    {
        session.HasAsked = true;
        Span<byte> answer = stackalloc byte[Protocol.MaximumMessageBytes];
        int length = new Welcome { ProtocolVersion = Protocol.Version, SessionId = session.Id }.Write(answer);
        if (hello.ProtocolVersion == Protocol.Version) { session.Send(answer[..length], [s_pidNamespace]); return; }
        session.Send(answer[..length], default);
        session.Fail($"it speaks version {hello.ProtocolVersion} of the protocol, this router {Protocol.Version}");
    }

    /// <summary>Takes the process in. <paramref name="memory"/> becomes -1 if its descriptor is kept.</summary>
    private void Greet(Session session, in Hello hello, ref int memory)
    {
        Span<byte> answer = stackalloc byte[Protocol.MaximumMessageBytes];
        int length = new Welcome { ProtocolVersion = Protocol.Version, SessionId = session.Id }.Write(answer);
        if (hello.ProtocolVersion != Protocol.Version)
        {
            session.Send(answer[..length], default); // tells it which version is spoken here
            session.Fail($"it speaks version {hello.ProtocolVersion} of the protocol, this router {Protocol.Version}");
            return;
        }
        if (hello.Slot >= FamilyLayout.SlotCount) { session.Fail($"malformed message: slot {hello.Slot} of {FamilyLayout.SlotCount}"); return; }
        // Seals first: only memory has them, and asking a strange file for anything else may wait for its owner.
        if (Libc.fcntl(memory, Libc.F_GET_SEALS, 0) < 0 || Libc.fstat(memory, out FileStatus file) != 0) { session.Fail("malformed message: its family table cannot be read"); return; }
        if (!_families.TryGetValue((file.Device, file.Inode), out Family? family))
        {
            if (!MapReserve.TryTake(session.Account, 1)) { session.Fail($"this router has mapped as much as it may for user {session.Account.UserId}"); return; }
            family = Family.TryOpen(memory, file, out string problem);
            if (family is null)
            {
                MapReserve.Return(session.Account, 1);
                session.Fail($"malformed message: {problem}");
                return;
            }
            family.Payer = session.Account;
            memory = -1;
            _families[family.Identity] = family;
        }
        session.Family = family;
        session.Slot = hello.Slot;
        session.OwnProcessId = hello.ProcessId;
        session.Program = PrintableText.Of(hello.ProgramName);
        session.Container = PrintableText.Of(hello.ContainerName);
        family.Sessions.Add(session);
        log.SessionBegan(session);
        session.Send(answer[..length], default);
    }
}
