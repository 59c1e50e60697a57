using System;
using System.Buffers.Binary;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>
/// The 40 bytes in front of a datagram's payload (IBA 8.3, RoCEv2 annex A17.4.5.1): an IPv6 header, or between IPv4 addresses 20 bytes that
/// mean nothing and an IPv4 header.
/// </summary>
internal static unsafe class GlobalRouteHeader
{
    public const int Bytes = 40;

    private const int IPv4Offset = 20, IPv4Bytes = 20, Udp = 17, HopLimit = 64;

    // UDP, base transport, datagram extended transport and invariant checksum.
    private const int Around = 8 + 12 + 8 + 4;

    /// <param name="target">Room for <see cref="Bytes"/>.</param>
    /// <param name="flow">Traffic class and flow label.</param>
    /// <param name="length">Payload in bytes.</param>
    /// <param name="from">The sender.</param>
    /// <param name="to">The receiver.</param>
    public static void Write(byte* target, uint flow, uint length, IbvGid from, IbvGid to)
    {
        Span<byte> header = new(target, Bytes);
        header.Clear();
        if (from.IsIPv4 && to.IsIPv4) { WriteIPv4(header[IPv4Offset..], (byte)(flow >> 20), length, from, to); return; }
        BinaryPrimitives.WriteUInt32BigEndian(header, (6U << 28) | (flow & 0x0fffffff));
        BinaryPrimitives.WriteUInt16BigEndian(header[4..], (ushort)(length + Around));
        header[6] = Udp;
        header[7] = HopLimit;
        *(IbvGid*)(target + 8) = from;
        *(IbvGid*)(target + 24) = to;
    }

    /// <summary>Sender and receiver, traffic class and flow label.</summary>
    public static uint Read(byte* header, out IbvGid from, out IbvGid to)
    {
        if (header[0] >> 4 == 6)
        {
            from = *(IbvGid*)(header + 8);
            to = *(IbvGid*)(header + 24);
            return BinaryPrimitives.ReadUInt32BigEndian(new ReadOnlySpan<byte>(header, 4)) & 0x0fffffff;
        }
        from = IbvGid.OfIPv4(*(uint*)(header + IPv4Offset + 12));
        to = IbvGid.OfIPv4(*(uint*)(header + IPv4Offset + 16));
        return (uint)header[IPv4Offset + 1] << 20;
    }

    private static void WriteIPv4(Span<byte> header, byte trafficClass, uint length, IbvGid from, IbvGid to)
    {
        header[0] = 0x45;
        header[1] = trafficClass;
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)(length + Around + IPv4Bytes));
        header[6] = 0x40; // not to be fragmented
        header[8] = HopLimit;
        header[9] = Udp;
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], from.IPv4);
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], to.IPv4);
        uint sum = 0;
        for (int i = 0; i < IPv4Bytes; i += 2) sum += BinaryPrimitives.ReadUInt16BigEndian(header[i..]);
        while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(header[10..], (ushort)~sum);
    }
}
