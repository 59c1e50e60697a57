using System;
using FreeFlow.Contract;
using FreeFlow.Contract.Messages;
using FreeFlow.Native;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Sessions;

namespace FreeFlow.Router.Verbs;

/// <summary>Reads the messages of verbs sessions and answers each. Whatever is not exactly as the contract says ends the session.</summary>
/// <param name="broker">Whose queue pairs and regions they are.</param>
/// <param name="questions">What is asked about shown sockets.</param>
/// <param name="pidNamespace">A descriptor of this router's own, by which it is known.</param>
internal sealed class VerbsMessages(VerbsBroker broker, ForeignQuestions questions, int pidNamespace)
{
    private const uint Read = 0, Write = 1, FetchAdd = 3;

    private readonly CmMessages _connections = new(broker.Connections);

    /// <summary>Descriptors that are kept are −1 afterwards; the caller closes the others.</summary>
    public void Handle(Session session, MessageType type, ReadOnlySpan<byte> message, Span<int> descriptors)
    {
        if (type == MessageType.VerbsHello && session is { Verbs: null, Family: null } && descriptors.IsEmpty && VerbsHello.TryRead(message, out VerbsHello hello)) { Greet(session, hello); return; }
        if (session.Verbs is not { } client) { session.Fail($"malformed message: type {(int)type} before VerbsHello"); return; }
        switch (type)
        {
            case MessageType.VerbsCreateQueuePair when descriptors.IsEmpty && VerbsCreateQueuePair.TryRead(message, out VerbsCreateQueuePair create):
                Reply(session, create.Sequence, broker.Create(client, create.Domain, create.Kind, out uint number), number);
                return;
            case MessageType.VerbsListen when descriptors.IsEmpty && VerbsListen.TryRead(message, out VerbsListen listen):
                Listen(client, listen);
                return;
            case MessageType.VerbsConnect when descriptors.Length == 1 && VerbsConnect.TryRead(message, out VerbsConnect connect):
                Connect(client, connect, descriptors[0]);
                descriptors[0] = -1;
                return;
            case MessageType.VerbsLeave when descriptors.IsEmpty && VerbsLeave.TryRead(message, out VerbsLeave leave):
                Reply(session, leave.Sequence, broker.Leave(client, leave.Number, leave.IsDestroyed != 0));
                return;
            case MessageType.VerbsRegister when VerbsRegister.TryRead(message, out VerbsRegister register):
                Reply(session, register.Sequence, broker.Register(client, register, descriptors));
                return;
            case MessageType.VerbsDeregister when descriptors.IsEmpty && VerbsDeregister.TryRead(message, out VerbsDeregister deregister):
                Reply(session, deregister.Sequence, broker.Deregister(client, deregister.Key, out bool wasGranted), wasGranted ? 1u : 0);
                return;
            case MessageType.VerbsResolve when descriptors.IsEmpty && VerbsResolve.TryRead(message, out VerbsResolve resolve):
                Resolve(client, resolve);
                return;
            case MessageType.VerbsEdge when descriptors.IsEmpty && VerbsEdge.TryRead(message, out VerbsEdge edge):
                Touch(client, edge);
                return;
            case >= MessageType.VerbsCmCommand when _connections.Handle(client, type, message, descriptors):
                return;
            default:
                session.Fail($"malformed message: type {(int)type}, {message.Length} bytes, {descriptors.Length} descriptors");
                return;
        }
    }

    /// <summary>False if there is more of it.</summary>
    public bool EndSession(Session session)
    {
        if (session.Verbs is not { } client) return true;
        if (!broker.End(client)) return false;
        session.Verbs = null;
        return true;
    }

    private void Greet(Session session, in VerbsHello hello)
    {
        bool isOurs = hello.ProtocolVersion == VerbsProtocol.Version;
        Span<byte> answer = stackalloc byte[Protocol.MaximumMessageBytes];
        int length = new VerbsReply { Sequence = 0, Status = isOurs ? 0 : (uint)Errno.EPROTONOSUPPORT, Value = VerbsProtocol.Version }.Write(answer);
        session.Send(answer[..length], isOurs ? [pidNamespace] : default);
        if (!isOurs) { session.Fail($"it speaks version {hello.ProtocolVersion} of the verbs messages, this router {VerbsProtocol.Version}"); return; }
        session.Program = PrintableText.Of(hello.ProgramName);
        session.Container = PrintableText.Of(hello.ContainerName);
        session.OwnProcessId = hello.ProcessId;
        session.Verbs = new VerbsClient(session, hello.ProcessId);
        broker.Begin(session.Verbs);
    }

    /// <summary>Takes the descriptor over.</summary>
    private void Connect(VerbsClient client, VerbsConnect request, int proof)
    {
        InternetAddress own = new(new UInt128(request.OwnHigh, request.OwnLow));
        ulong network = client.Session.Origin.Network;
        questions.Ask(client.Session, proof, socket => VerbsBroker.IsBoundTo(socket, own, network), isProven => Connect(client, request, isProven));
    }

    private void Connect(VerbsClient client, in VerbsConnect request, bool isProven)
    {
        if (client.QueuePairs.TryGetValue(request.Number, out VerbsQueuePair? known) && known.IsDatagram) { Open(client, request, isProven); return; }
        int status = broker.Connect(client, request, isProven, out VerbsQueuePair? pair);
        if (pair?.Pair is not { } shared) { Reply(client.Session, request.Sequence, status); return; }
        int doorbell = shared.TakeDoorbell(pair.Side);
        Span<byte> answer = stackalloc byte[Protocol.MaximumMessageBytes];
        VerbsJoin join = new() { Sequence = request.Sequence, Side = (uint)pair.Side, IsLoop = pair.Peer == pair ? 1u : 0 };
        client.Session.Send(answer[..join.Write(answer)], [shared.Memory, doorbell]);
        ForeignDescriptors.Close(doorbell, client.Session.Account);
    }

    private void Listen(VerbsClient client, in VerbsListen request)
    {
        int status = broker.Listen(client, request.Number, out VerbsInbox? inbox);
        if (inbox is null) { Reply(client.Session, request.Sequence, status); return; }
        int socket = inbox.TakeSocket();
        Span<byte> answer = stackalloc byte[Protocol.MaximumMessageBytes];
        int length = new VerbsReply { Sequence = request.Sequence, Status = 0, Value = 0 }.Write(answer);
        client.Session.Send(answer[..length], [inbox.Memory, socket]);
        Libc.close(socket);
    }

    private void Open(VerbsClient client, in VerbsConnect request, bool isProven)
    {
        int status = broker.Open(client, request, isProven, out VerbsPath? path);
        if (path is null) { Reply(client.Session, request.Sequence, status); return; }
        int doorbell = path.Shared.TakeDoorbell(VerbsPath.Sending);
        Span<byte> answer = stackalloc byte[Protocol.MaximumMessageBytes];
        client.Session.Send(answer[..new VerbsJoin { Sequence = request.Sequence, Side = VerbsPath.Sending, IsLoop = 0 }.Write(answer)], [path.Shared.Memory, doorbell]);
        ForeignDescriptors.Close(doorbell, client.Session.Account);
        path.Shared.CloseMemory();
    }

    private void Resolve(VerbsClient client, in VerbsResolve request)
    {
        int status = broker.Resolve(client, request.Number, request.Key, out VerbsRegion? region, out uint access, out bool isSameUser);
        if (status != 0 || region is null) { Reply(client.Session, request.Sequence, status); return; }
        bool withEdges = isSameUser && region.Pages.Edges != 0;
        int[] memory = region.Give(access, withEdges, out bool areCopies);
        Span<byte> answer = stackalloc byte[Protocol.MaximumMessageBytes];
        VerbsGrant grant = new()
        {
            Sequence = request.Sequence, Access = access, Address = region.Address, Length = region.Length, Offset = region.Offset, HasEdges = withEdges ? 1u : 0, FirstPlace = region.FirstPlace, LastPlace = region.LastPlace,
        };
        region.WasGranted = true;
        client.Session.Send(answer[..grant.Write(answer)], memory);
        if (areCopies) foreach (int copy in memory) Libc.close(copy);
    }

    private void Touch(VerbsClient client, in VerbsEdge request)
    {
        Span<byte> data = stackalloc byte[VerbsProtocol.MaximumEdgeBytes];
        data = data[..(request.Operation == Read ? (int)request.Length : 0)];
        ulong before = 0;
        int status = broker.Resolve(client, request.Number, request.Key, out VerbsRegion? region, out uint access, out _);
        uint needed = request.Operation switch { Read => VerbsProtocol.RemoteRead, Write => VerbsProtocol.RemoteWrite, _ => VerbsProtocol.RemoteAtomic };
        if (status == 0 && region is not null)
        {
            ulong offset = request.Address - region.Address;
            bool done = (access & needed) != 0 && request.Operation switch
            {
                Read => region.TryRead(offset, data),
                Write => region.TryWrite(offset, request.Data),
                _ => request.Length == sizeof(ulong) && region.TryAtomic(offset, request.Operation == FetchAdd, request.First, request.Second, out before),
            };
            if (!done) status = Errno.EACCES;
        }
        Span<byte> answer = stackalloc byte[Protocol.MaximumMessageBytes];
        int length = new VerbsEdgeReply { Sequence = request.Sequence, Status = (uint)status, Before = before, Data = status == 0 ? data : default }.Write(answer);
        client.Session.Send(answer[..length], default);
    }

    private static void Reply(Session session, uint sequence, int status, ulong value = 0)
    {
        Span<byte> answer = stackalloc byte[Protocol.MaximumMessageBytes];
        int length = new VerbsReply { Sequence = sequence, Status = (uint)status, Value = value }.Write(answer);
        session.Send(answer[..length], default);
    }
}
