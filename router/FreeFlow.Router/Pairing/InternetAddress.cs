using System;
using System.Buffers.Binary;
using System.Net;

namespace FreeFlow.Router.Pairing;

/// <summary>An IPv4 or IPv6 address in one form: IPv4 is kept as ::ffff:a.b.c.d, so that an IPv6 socket with a mapped address equals its IPv4 peer's view.</summary>
/// <param name="Value">The 128 bits, most significant first on the wire.</param>
internal readonly record struct InternetAddress(UInt128 Value)
{
    private static readonly UInt128 MappedPrefix = (UInt128)0xffff << 32;

    /// <summary>From four bytes in network order.</summary>
    public static InternetAddress FromIPv4(ReadOnlySpan<byte> bytes) => new(MappedPrefix | BinaryPrimitives.ReadUInt32BigEndian(bytes));

    /// <summary>From sixteen bytes in network order.</summary>
    public static InternetAddress FromIPv6(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt128BigEndian(bytes));

    /// <summary>True for an IPv4 address, mapped or not.</summary>
    public bool IsIPv4 => Value >> 32 == 0xffff;

    /// <summary>The IPv4 address as a number; meaningless if <see cref="IsIPv4"/> is false.</summary>
    public uint IPv4 => (uint)Value;

    /// <summary>Loopback or link-local: every namespace has such addresses, so they say nothing outside their own.</summary>
    public bool IsLocalToNamespace => IsIPv4
        ? IPv4 >> 24 is 127 or 0 || IPv4 >> 16 == 0xa9fe
        : Value <= 1 || (uint)(Value >> 118) == 0x3fa;

    /// <summary>The sixteen bytes in network order.</summary>
    public void Write(Span<byte> target) => BinaryPrimitives.WriteUInt128BigEndian(target, Value);

    /// <summary>The framework's form: of IPv4 if it is that, mapped or not.</summary>
    public IPAddress ToIPAddress()
    {
        Span<byte> bytes = stackalloc byte[16];
        Write(bytes);
        return new IPAddress(IsIPv4 ? bytes[12..] : bytes);
    }

    public override string ToString() => ToIPAddress().ToString();
}
