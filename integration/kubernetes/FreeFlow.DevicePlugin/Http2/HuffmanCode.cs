using System;
using System.Collections.Generic;
using System.IO;

namespace FreeFlow.DevicePlugin.Http2;

/// <summary>
/// The Huffman code of header strings (RFC 7541, appendix B). The code is canonical: the lengths of all 257 codes say all of it.
/// Safe for use by several threads.
/// </summary>
internal static class HuffmanCode
{
    private const int EndOfString = 256;

    private static readonly byte[] s_lengths =
    [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
        6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
        13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
        20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
        22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
        26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
        20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
        30,
    ];

    // The key of a code is its bits behind a leading one, so that codes of several lengths do not meet.
    private static readonly Dictionary<uint, int> s_symbols = MakeSymbols();

    /// <summary>The text of an encoded string, in bytes.</summary>
    /// <exception cref="InvalidDataException">The string holds the end-of-string symbol, or its padding is not of ones, or too
    /// long.</exception>
    internal static byte[] Decode(ReadOnlySpan<byte> encoded)
    {
        List<byte> text = new(encoded.Length * 2);
        uint key = 1;
        int length = 0;
        foreach (byte octet in encoded)
        {
            for (int bit = 7; bit >= 0; bit--)
            {
                key = (key << 1) | (uint)((octet >> bit) & 1);
                length++;
                if (length > 30) throw new InvalidDataException("a header string is no Huffman code.");
                if (!s_symbols.TryGetValue(key, out int symbol)) continue;
                if (symbol == EndOfString) throw new InvalidDataException("a header string holds the end-of-string symbol.");
                text.Add((byte)symbol);
                key = 1;
                length = 0;
            }
        }
        if (length > 7 || key != (1u << (length + 1)) - 1) throw new InvalidDataException("a header string has a wrong padding.");
        return [.. text];
    }

    private static Dictionary<uint, int> MakeSymbols()
    {
        int[] symbols = new int[s_lengths.Length];
        for (int symbol = 0; symbol < symbols.Length; symbol++) symbols[symbol] = symbol;
        Array.Sort(symbols, (left, right) => (s_lengths[left], left).CompareTo((s_lengths[right], right)));
        Dictionary<uint, int> codes = [];
        uint code = 0;
        int length = 0;
        foreach (int symbol in symbols)
        {
            code <<= s_lengths[symbol] - length;
            length = s_lengths[symbol];
            codes.Add((1u << length) | code, symbol);
            code++;
        }
        return codes;
    }
}
