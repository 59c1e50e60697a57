using System;
using System.Buffers.Binary;
using System.IO;

namespace FreeFlow.Cli.Trace;

/// <summary>Writes pcapng (draft-ietf-opsawg-pcapng): IP packets with TCP segments, times in nanoseconds.</summary>
internal sealed class PacketWriter
{
    /// <summary>Bytes of a segment; with its headers it fits into one IPv4 packet.</summary>
    public const int MostPayload = 32768;

    private const int RawIp = 101; // LINKTYPE_RAW
    private const byte Push = 0x08, Acknowledge = 0x10;
    private const int TcpBytes = 20;

    private readonly Stream _target;
    private readonly byte[] _block = new byte[MostPayload + 256];

    public PacketWriter(Stream target)
    {
        _target = target;
        Span<byte> start = stackalloc byte[28 + 32];
        BinaryPrimitives.WriteUInt32LittleEndian(start, 0x0a0d0d0a);
        BinaryPrimitives.WriteUInt32LittleEndian(start[4..], 28);
        BinaryPrimitives.WriteUInt32LittleEndian(start[8..], 0x1a2b3c4d);
        BinaryPrimitives.WriteUInt16LittleEndian(start[12..], 1);
        BinaryPrimitives.WriteInt64LittleEndian(start[16..], -1);
        BinaryPrimitives.WriteUInt32LittleEndian(start[24..], 28);
        Span<byte> face = start[28..];
        BinaryPrimitives.WriteUInt32LittleEndian(face, 1);
        BinaryPrimitives.WriteUInt32LittleEndian(face[4..], 32);
        BinaryPrimitives.WriteUInt16LittleEndian(face[8..], RawIp);
        // if_tsresol: 10^-9.
        BinaryPrimitives.WriteUInt16LittleEndian(face[16..], 9);
        BinaryPrimitives.WriteUInt16LittleEndian(face[18..], 1);
        face[20] = 9;
        BinaryPrimitives.WriteUInt32LittleEndian(face[28..], 32);
        _target.Write(start);
    }

    /// <summary>One segment.</summary>
    /// <param name="source">4 or 16 bytes of an address.</param>
    /// <param name="sourcePort">Its port.</param>
    /// <param name="target">As many.</param>
    /// <param name="targetPort">Its port.</param>
    /// <param name="sequence">Of the first byte.</param>
    /// <param name="acknowledged">The next byte of the other direction.</param>
    /// <param name="payload">At most <see cref="MostPayload"/>.</param>
    public void Write(ReadOnlySpan<byte> source, ushort sourcePort, ReadOnlySpan<byte> target, ushort targetPort, uint sequence, uint acknowledged, ReadOnlySpan<byte> payload)
    {
        bool v6 = source.Length == 16;
        int ip = v6 ? 40 : 20, packet = ip + TcpBytes + payload.Length, padded = (packet + 3) & ~3;
        Span<byte> block = _block.AsSpan(0, 28 + padded + 4);
        block.Clear();
        long now = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100;
        BinaryPrimitives.WriteUInt32LittleEndian(block, 6);
        BinaryPrimitives.WriteUInt32LittleEndian(block[4..], (uint)block.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(block[12..], (uint)(now >> 32));
        BinaryPrimitives.WriteUInt32LittleEndian(block[16..], (uint)now);
        BinaryPrimitives.WriteUInt32LittleEndian(block[20..], (uint)packet);
        BinaryPrimitives.WriteUInt32LittleEndian(block[24..], (uint)packet);
        BinaryPrimitives.WriteUInt32LittleEndian(block[^4..], (uint)block.Length);
        Span<byte> bytes = block.Slice(28, packet);
        if (v6)
        {
            bytes[0] = 0x60;
            BinaryPrimitives.WriteUInt16BigEndian(bytes[4..], (ushort)(packet - ip));
            (bytes[6], bytes[7]) = (6, 64);
            source.CopyTo(bytes[8..]);
            target.CopyTo(bytes[24..]);
        }
        else
        {
            bytes[0] = 0x45;
            BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], (ushort)packet);
            (bytes[8], bytes[9]) = (64, 6);
            source.CopyTo(bytes[12..]);
            target.CopyTo(bytes[16..]);
            BinaryPrimitives.WriteUInt16BigEndian(bytes[10..], Checksum(bytes[..ip], 0));
        }
        Span<byte> tcp = bytes[ip..];
        BinaryPrimitives.WriteUInt16BigEndian(tcp, sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[2..], targetPort);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[4..], sequence);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[8..], acknowledged);
        (tcp[12], tcp[13]) = ((TcpBytes / 4) << 4, Push | Acknowledge);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[14..], ushort.MaxValue);
        payload.CopyTo(tcp[TcpBytes..]);
        // The pseudo header: both addresses, the protocol, and the length.
        BinaryPrimitives.WriteUInt16BigEndian(tcp[16..], Checksum(tcp, Sum(source) + Sum(target) + 6 + (uint)tcp.Length));
        _target.Write(block);
    }

    /// <summary>What is written is read.</summary>
    public void Flush() => _target.Flush();

    private static ushort Checksum(ReadOnlySpan<byte> bytes, ulong more)
    {
        ulong sum = Sum(bytes) + more;
        while (sum > ushort.MaxValue) sum = (sum & ushort.MaxValue) + (sum >> 16);
        return (ushort)~sum;
    }

    private static ulong Sum(ReadOnlySpan<byte> bytes)
    {
        ulong sum = 0;
        for (; bytes.Length > 1; bytes = bytes[2..]) sum += BinaryPrimitives.ReadUInt16BigEndian(bytes);
        return bytes.Length == 1 ? sum + ((ulong)bytes[0] << 8) : sum;
    }
}
