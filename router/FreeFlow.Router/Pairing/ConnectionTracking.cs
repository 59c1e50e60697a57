using System;
using System.Buffers.Binary;
using FreeFlow.Native;

namespace FreeFlow.Router.Pairing;

/// <summary>
/// One NETLINK_NETFILTER socket: asks the connection tracking of one network namespace what it makes of a connection's addresses (nf_conntrack_netlink). It needs
/// CAP_NET_ADMIN there.
/// </summary>
internal sealed class ConnectionTracking : IDisposable
{
    private const int HeaderBytes = NetlinkSocket.HeaderBytes + 4; // and struct nfgenmsg
    private const ushort Get = (1 << 8) | 1, New = 1 << 8;   // NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET and CT_NEW
    private const ushort Nested = 0x8000, TypeMask = 0x3fff;
    private const ushort TupleOriginal = 1, TupleReply = 2, TupleAddresses = 1, TuplePorts = 2;
    private const ushort SourceV4 = 1, TargetV4 = 2, SourceV6 = 3, TargetV6 = 4, Protocol = 1, SourcePort = 2, TargetPort = 3;

    private readonly NetlinkSocket _socket;

    private ConnectionTracking(NetlinkSocket socket) => _socket = socket;

    /// <summary>Opens one in the calling thread's network namespace; null if the kernel has none.</summary>
    public static ConnectionTracking? Open() => NetlinkSocket.Open(Libc.NETLINK_NETFILTER) is { } socket ? new ConnectionTracking(socket) : null;

    /// <summary>What the tracking says of a connection: with whom it is connected really. False if one end cannot know the other's own address.</summary>
    public bool TryTranslate(ref FourTuple addresses)
    {
        Span<byte> message = stackalloc byte[256];
        Span<byte> answer = stackalloc byte[4096];
        int length = _socket.Exchange(message[..Write(message, addresses)], answer);
        if (length < HeaderBytes || NetlinkSocket.TypeOf(answer) != New) return true;
        return !TryRead(answer[HeaderBytes..length], TupleOriginal, out FourTuple original) || !TryRead(answer[HeaderBytes..length], TupleReply, out FourTuple reply) || TryChoose(ref addresses, original, reply);
    }

    /// <summary>
    /// What an entry with these two tuples, each as its sender writes it, means for the end that has <paramref name="addresses"/>. The server's view is the one that both
    /// ends are known by: the client's target becomes the one behind the translation. A client whose own address is translated as well is somebody else to the server.
    /// </summary>
    public static bool TryChoose(ref FourTuple addresses, FourTuple original, FourTuple reply)
    {
        if (original.Local != reply.Remote) return addresses != original && addresses != reply;
        if (addresses == original) addresses = reply.Mirrored;
        return true;
    }

    /// <summary>Encodes the question; its length.</summary>
    public int Write(Span<byte> message, FourTuple addresses)
    {
        bool v4 = addresses.Local.Address.IsIPv4 && addresses.Remote.Address.IsIPv4;
        message.Clear();
        message[NetlinkSocket.HeaderBytes] = (byte)(v4 ? Libc.AF_INET : Libc.AF_INET6);
        int at = HeaderBytes, tuple = at;
        at += 4;
        int part = at;
        at += 4;
        at += WriteAddress(message[at..], v4 ? SourceV4 : SourceV6, addresses.Local.Address, v4);
        at += WriteAddress(message[at..], v4 ? TargetV4 : TargetV6, addresses.Remote.Address, v4);
        WriteHead(message[part..], TupleAddresses | Nested, at - part);
        part = at;
        at += 4;
        WriteHead(message[at..], Protocol, 5);
        message[at + 4] = Libc.IPPROTO_TCP;
        at += 8;
        at += WritePort(message[at..], SourcePort, addresses.Local.Port);
        at += WritePort(message[at..], TargetPort, addresses.Remote.Port);
        WriteHead(message[part..], TuplePorts | Nested, at - part);
        WriteHead(message[tuple..], TupleOriginal | Nested, at - tuple);
        _socket.WriteHeader(message[..at], Get, NetlinkSocket.FlagRequest);
        return at;
    }

    /// <summary>Reads one tuple out of an answer's attributes.</summary>
    public static bool TryRead(ReadOnlySpan<byte> attributes, ushort which, out FourTuple tuple)
    {
        tuple = default;
        ReadOnlySpan<byte> body = Find(attributes, which), addresses = Find(body, TupleAddresses), ports = Find(body, TuplePorts);
        ReadOnlySpan<byte> source = Find(addresses, SourceV4), target = Find(addresses, TargetV4), sourcePort = Find(ports, SourcePort), targetPort = Find(ports, TargetPort);
        bool v4 = source.Length == 4 && target.Length == 4;
        if (!v4)
        {
            source = Find(addresses, SourceV6);
            target = Find(addresses, TargetV6);
        }
        if ((!v4 && (source.Length != 16 || target.Length != 16)) || sourcePort.Length != 2 || targetPort.Length != 2) return false;
        tuple = new FourTuple(
            new InternetEndpoint(v4 ? InternetAddress.FromIPv4(source) : InternetAddress.FromIPv6(source), BinaryPrimitives.ReadUInt16BigEndian(sourcePort)),
            new InternetEndpoint(v4 ? InternetAddress.FromIPv4(target) : InternetAddress.FromIPv6(target), BinaryPrimitives.ReadUInt16BigEndian(targetPort)));
        return true;
    }

    public void Dispose() => _socket.Dispose();

    private static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> attributes, ushort type)
    {
        while (attributes.Length >= 4)
        {
            int length = BinaryPrimitives.ReadUInt16LittleEndian(attributes);
            if (length < 4 || length > attributes.Length) return default;
            if ((BinaryPrimitives.ReadUInt16LittleEndian(attributes[2..]) & TypeMask) == type) return attributes[4..length];
            attributes = attributes[Math.Min((length + 3) & ~3, attributes.Length)..];
        }
        return default;
    }

    private static int WriteAddress(Span<byte> target, ushort type, InternetAddress address, bool v4)
    {
        WriteHead(target, type, v4 ? 8 : 20);
        if (v4) BinaryPrimitives.WriteUInt32BigEndian(target[4..], address.IPv4);
        else address.Write(target.Slice(4, 16));
        return v4 ? 8 : 20;
    }

    private static int WritePort(Span<byte> target, ushort type, ushort port)
    {
        WriteHead(target, type, 6);
        BinaryPrimitives.WriteUInt16BigEndian(target[4..], port);
        return 8;
    }

    private static void WriteHead(Span<byte> target, int type, int length)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(target, (ushort)length);
        BinaryPrimitives.WriteUInt16LittleEndian(target[2..], (ushort)type);
    }
}
