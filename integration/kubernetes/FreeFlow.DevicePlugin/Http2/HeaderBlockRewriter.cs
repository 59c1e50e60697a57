using System;
using System.Buffers;
using System.IO;

namespace FreeFlow.DevicePlugin.Http2;

/// <summary>
/// Reads the header blocks of a connection in their order, and writes each anew with ":authority" as "localhost" (RFC 7541, section 6).
/// What it writes refers to no dynamic table, so that the reader behind it needs none. Of one connection; not safe for several threads.
/// </summary>
internal sealed class HeaderBlockRewriter
{
    private static readonly byte[] s_localhost = "localhost"u8.ToArray();

    private readonly HeaderTable _table = new();

    /// <summary>Writes a whole block anew.</summary>
    /// <exception cref="InvalidDataException">The block breaks the rules.</exception>
    internal byte[] Rewrite(ReadOnlySpan<byte> block)
    {
        ArrayBufferWriter<byte> output = new(block.Length * 2 + 16);
        while (!block.IsEmpty)
        {
            byte first = block[0];
            if ((first & 0x80) != 0)
            {
                Write(output, _table[ReadInteger(ref block, 7)]);
                continue;
            }
            if ((first & 0xE0) == 0x20)
            {
                _table.Resize(ReadInteger(ref block, 5));
                continue;
            }
            bool adds = (first & 0x40) != 0;
            int name = ReadInteger(ref block, adds ? 6 : 4);
            HeaderField field = new(name == 0 ? ReadString(ref block) : _table[name].Name, ReadString(ref block));
            if (adds) _table.Add(field);
            Write(output, field);
        }
        return output.WrittenSpan.ToArray();
    }

    // A literal field without indexing, its name in full.
    private static void Write(ArrayBufferWriter<byte> output, HeaderField field)
    {
        output.Write<byte>([0]);
        WriteString(output, field.Name);
        WriteString(output, field.Name.AsSpan().SequenceEqual(":authority"u8) ? s_localhost : field.Value);
    }

    private static void WriteString(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> text)
    {
        const int Most = 127;
        if (text.Length < Most) output.Write<byte>([(byte)text.Length]);
        else
        {
            output.Write<byte>([Most]);
            int rest = text.Length - Most;
            for (; rest >= 128; rest >>= 7) output.Write<byte>([(byte)(rest | 128)]);
            output.Write<byte>([(byte)rest]);
        }
        output.Write(text);
    }

    private static byte[] ReadString(ref ReadOnlySpan<byte> block)
    {
        if (block.IsEmpty) throw new InvalidDataException("a header block ends within a field.");
        bool isHuffman = (block[0] & 0x80) != 0;
        int length = ReadInteger(ref block, 7);
        if (length > block.Length) throw new InvalidDataException($"a header string of {length} bytes goes beyond its block.");
        ReadOnlySpan<byte> text = block[..length];
        block = block[length..];
        return isHuffman ? HuffmanCode.Decode(text) : text.ToArray();
    }

    private static int ReadInteger(ref ReadOnlySpan<byte> block, int prefix)
    {
        int mask = (1 << prefix) - 1;
        int value = block[0] & mask;
        block = block[1..];
        if (value < mask) return value;
        for (int shift = 0; shift <= 14; shift += 7)
        {
            if (block.IsEmpty) throw new InvalidDataException("a header block ends within a number.");
            byte octet = block[0];
            block = block[1..];
            value += (octet & 0x7F) << shift;
            if ((octet & 0x80) == 0) return value;
        }
        throw new InvalidDataException("a header block holds a number beyond two million.");
    }
}
