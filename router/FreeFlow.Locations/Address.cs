using System;
using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace FreeFlow.Locations;

/// <summary>An IPv4 or IPv6 address in 16 bytes; IPv4 is kept as ::ffff:a.b.c.d, so that both spellings of one address are equal.</summary>
/// <param name="Value">The 128 bits, the first on the wire being the most significant.</param>
public readonly record struct Address(UInt128 Value)
{
    private static readonly UInt128 MappedPrefix = (UInt128)0xffff << 32;

    /// <summary>From four bytes as a number, the first on the wire being the most significant.</summary>
    public static Address FromIPv4(uint value) => new(MappedPrefix | value);

    /// <summary>From the framework's form; a scope is left out.</summary>
    public static Address From(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        _ = address.TryWriteBytes(bytes, out int length);
        return length == 4 ? FromIPv4(BinaryPrimitives.ReadUInt32BigEndian(bytes)) : new(BinaryPrimitives.ReadUInt128BigEndian(bytes));
    }

    /// <summary>True for an IPv4 address, mapped or not.</summary>
    public bool IsIPv4 => Value >> 32 == 0xffff;

    /// <summary>The IPv4 address as a number; meaningless if <see cref="IsIPv4"/> is false.</summary>
    public uint IPv4 => (uint)Value;

    /// <summary>Unspecified, loopback, link-local or multicast: says nothing about a place in the network.</summary>
    public bool IsOfNoPlace => IsIPv4
        ? IPv4 >> 24 is 127 or 0 || IPv4 >> 16 == 0xa9fe || IPv4 >> 28 >= 0xe
        : Value <= 1 || (uint)(Value >> 118) == 0x3fa || (uint)(Value >> 120) == 0xff;

    /// <summary>Reads exactly one address: dotted IPv4 with four decimal parts, or IPv6 without scope, brackets or port.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out Address address)
    {
        if (TryParseIPv4(text, out address)) return true;
        if (text.Length > 45 || text.IndexOf((byte)':') < 0 || text.IndexOfAny((byte)'%', (byte)'[', (byte)'/') >= 0) return false;
        if (!IPAddress.TryParse(Encoding.ASCII.GetString(text), out IPAddress? parsed)) return false;
        address = From(parsed);
        return true;
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{byte}, out Address)"/>
    public static bool TryParse(string? text, out Address address)
    {
        address = default;
        return text is not null && TryParse(Encoding.UTF8.GetBytes(text), out address);
    }

    /// <summary>As etcd's keys and values have it: dotted IPv4, or IPv6 in its shortest form.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, Value);
        return new IPAddress(IsIPv4 ? bytes[12..] : bytes).ToString();
    }

    // IPAddress would take "10.1" and "0x0a.1": such a key is a mistake, not an address.
    private static bool TryParseIPv4(ReadOnlySpan<byte> text, out Address address)
    {
        address = default;
        uint value = 0, part = 0;
        int parts = 1, digits = 0;
        foreach (byte letter in text)
        {
            if (letter == '.')
            {
                if (digits == 0 || ++parts > 4) return false;
                value = value << 8 | part;
                part = 0;
                digits = 0;
            }
            else
            {
                if (letter is < (byte)'0' or > (byte)'9' || digits == 3 || digits > 0 && part == 0) return false;
                part = part * 10 + (uint)(letter - '0');
                if (part > 255) return false;
                digits++;
            }
        }
        if (parts != 4 || digits == 0) return false;
        address = FromIPv4(value << 8 | part);
        return true;
    }
}
