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
