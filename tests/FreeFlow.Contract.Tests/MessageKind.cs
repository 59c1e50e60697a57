using System;
using FreeFlow.Contract.Messages;

namespace FreeFlow.Contract.Tests;

/// <summary>One kind of control message, made uniform for tests: decode and, if that succeeded, encode again.</summary>
public sealed class MessageKind(string name, MessageType type, MessageKind.Recoder recode)
{
    /// <summary>Decodes and encodes again into the buffer; the length, or -1 if the message was refused.</summary>
    public delegate int Recoder(ReadOnlySpan<byte> message, Span<byte> buffer);

    public static readonly MessageKind[] All =
    [
        new("Hello", MessageType.Hello, (m, b) => Hello.TryRead(m, out Hello r) ? r.Write(b) : -1),
        new("Welcome", MessageType.Welcome, (m, b) => Welcome.TryRead(m, out Welcome r) ? r.Write(b) : -1),
        new("Offer", MessageType.Offer, (m, b) => Offer.TryRead(m, out Offer r) ? r.Write(b) : -1),
        new("Join", MessageType.Join, (m, b) => Join.TryRead(m, out Join r) ? r.Write(b) : -1),
        new("Refuse", MessageType.Refuse, (m, b) => Refuse.TryRead(m, out Refuse r) ? r.Write(b) : -1),
        new("Withdraw", MessageType.Withdraw, (m, b) => Withdraw.TryRead(m, out Withdraw r) ? r.Write(b) : -1),
        new("StatusRequest", MessageType.StatusRequest, (m, b) => StatusRequest.TryRead(m, out StatusRequest r) ? r.Write(b) : -1),
        new("StatusReply", MessageType.StatusReply, (m, b) => StatusReply.TryRead(m, out StatusReply r) ? r.Write(b) : -1),
        new("ReturnRequest", MessageType.ReturnRequest, (m, b) => ReturnRequest.TryRead(m, out ReturnRequest r) ? r.Write(b) : -1),
        new("VerbsHello", MessageType.VerbsHello, (m, b) => VerbsHello.TryRead(m, out VerbsHello r) ? r.Write(b) : -1),
        new("VerbsReply", MessageType.VerbsReply, (m, b) => VerbsReply.TryRead(m, out VerbsReply r) ? r.Write(b) : -1),
        new("VerbsCreateQueuePair", MessageType.VerbsCreateQueuePair, (m, b) => VerbsCreateQueuePair.TryRead(m, out VerbsCreateQueuePair r) ? r.Write(b) : -1),
        new("VerbsConnect", MessageType.VerbsConnect, (m, b) => VerbsConnect.TryRead(m, out VerbsConnect r) ? r.Write(b) : -1),
        new("VerbsJoin", MessageType.VerbsJoin, (m, b) => VerbsJoin.TryRead(m, out VerbsJoin r) ? r.Write(b) : -1),
        new("VerbsLeave", MessageType.VerbsLeave, (m, b) => VerbsLeave.TryRead(m, out VerbsLeave r) ? r.Write(b) : -1),
        new("VerbsRegister", MessageType.VerbsRegister, (m, b) => VerbsRegister.TryRead(m, out VerbsRegister r) ? r.Write(b) : -1),
        new("VerbsDeregister", MessageType.VerbsDeregister, (m, b) => VerbsDeregister.TryRead(m, out VerbsDeregister r) ? r.Write(b) : -1),
        new("VerbsResolve", MessageType.VerbsResolve, (m, b) => VerbsResolve.TryRead(m, out VerbsResolve r) ? r.Write(b) : -1),
        new("VerbsGrant", MessageType.VerbsGrant, (m, b) => VerbsGrant.TryRead(m, out VerbsGrant r) ? r.Write(b) : -1),
        new("VerbsEdge", MessageType.VerbsEdge, (m, b) => VerbsEdge.TryRead(m, out VerbsEdge r) ? r.Write(b) : -1),
        new("VerbsEdgeReply", MessageType.VerbsEdgeReply, (m, b) => VerbsEdgeReply.TryRead(m, out VerbsEdgeReply r) ? r.Write(b) : -1),
        new("VerbsListen", MessageType.VerbsListen, (m, b) => VerbsListen.TryRead(m, out VerbsListen r) ? r.Write(b) : -1),
        new("RefillRequest", MessageType.RefillRequest, (m, b) => RefillRequest.TryRead(m, out RefillRequest r) ? r.Write(b) : -1),
        new("VerbsArrival", MessageType.VerbsArrival, (m, b) => VerbsArrival.TryRead(m, out VerbsArrival r) ? r.Write(b) : -1),
        new("VerbsCmCommand", MessageType.VerbsCmCommand, (m, b) => VerbsCmCommand.TryRead(m, out VerbsCmCommand r) ? r.Write(b) : -1),
        new("VerbsCmCreate", MessageType.VerbsCmCreate, (m, b) => VerbsCmCreate.TryRead(m, out VerbsCmCreate r) ? r.Write(b) : -1),
        new("VerbsCmAddress", MessageType.VerbsCmAddress, (m, b) => VerbsCmAddress.TryRead(m, out VerbsCmAddress r) ? r.Write(b) : -1),
        new("VerbsCmConnect", MessageType.VerbsCmConnect, (m, b) => VerbsCmConnect.TryRead(m, out VerbsCmConnect r) ? r.Write(b) : -1),
        new("VerbsCmState", MessageType.VerbsCmState, (m, b) => VerbsCmState.TryRead(m, out VerbsCmState r) ? r.Write(b) : -1),
        new("VerbsCmEvent", MessageType.VerbsCmEvent, (m, b) => VerbsCmEvent.TryRead(m, out VerbsCmEvent r) ? r.Write(b) : -1),
    ];

    public string Name { get; } = name;

    public MessageType Type { get; } = type;

    /// <summary>The message decoded and encoded again, or null if it was refused.</summary>
    public byte[]? Recode(ReadOnlySpan<byte> message)
    {
        Span<byte> buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        int length = recode(message, buffer);
        return length < 0 ? null : buffer[..length].ToArray();
    }

    /// <summary>What encoding again returns when the buffer has only <paramref name="room"/> bytes.</summary>
    public int RecodeInto(ReadOnlySpan<byte> message, int room) => recode(message, new byte[room]);

    public override string ToString() => Name;
}
