using System;

namespace FreeFlow.Contract.Messages;

/// <summary>
/// Asks for bytes to be put into the receive queue of a connection whose peer is gone, of which another program goes on with the rest of
/// the stream: [type]. Two descriptors: the socket, and memory (<see cref="Layout.RefillHeader"/>) that says what is to be done and what
/// has become of it. Sent twice: to ask whether it is possible, before the bytes are taken out of the ring, and when they are there.
/// </summary>
public struct RefillRequest
{
    /// <summary>Encodes into <paramref name="buffer"/>; returns the length in bytes, or 0 if it does not fit.</summary>
    public readonly int Write(Span<byte> buffer)
    {
        StrictWriter writer = new(buffer);
        writer.WriteArrayHeader(1);
        writer.WriteUInt64((ulong)MessageType.RefillRequest);
        return writer.Failed ? 0 : writer.Length;
    }

    /// <summary>Decodes a whole message; false if it is not exactly one of this kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out RefillRequest result)
    {
        result = default;
        StrictReader reader = new(message);
        return reader.ReadArrayHeader() == 1 && reader.ReadUInt64() == (ulong)MessageType.RefillRequest && reader.AtEnd;
    }
}
