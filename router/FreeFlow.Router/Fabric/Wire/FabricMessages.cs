using System;
using FreeFlow.Contract;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Fabric.Wire;

/// <summary>What the messages between routers have in common: addresses and marks are strings of 16 bytes, in network order.</summary>
internal static class FabricMessages
{
    private const int AddressBytes = 16;

    public static void Write(ref StrictWriter writer, InternetAddress address)
    {
        Span<byte> bytes = stackalloc byte[AddressBytes];
        address.Write(bytes);
        writer.WriteString(bytes);
    }

    public static void Write(ref StrictWriter writer, InternetEndpoint endpoint)
    {
        Write(ref writer, endpoint.Address);
        writer.WriteUInt64(endpoint.Port);
    }

    public static bool TryRead(ref StrictReader reader, out InternetAddress address)
    {
        ReadOnlySpan<byte> bytes = reader.ReadString(AddressBytes);
        address = bytes.Length == AddressBytes ? InternetAddress.FromIPv6(bytes) : default;
        return bytes.Length == AddressBytes;
    }

    public static bool TryRead(ref StrictReader reader, out InternetEndpoint endpoint)
    {
        endpoint = default;
        if (!TryRead(ref reader, out InternetAddress address)) return false;
        uint port = reader.ReadUInt32();
        endpoint = new InternetEndpoint(address, (ushort)port);
        return port is > 0 and <= ushort.MaxValue;
    }
}
