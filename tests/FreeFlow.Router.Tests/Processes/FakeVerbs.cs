using System;
using System.Net;
using System.Net.Sockets;
using FreeFlow.Contract;
using FreeFlow.Contract.Messages;
using FreeFlow.Native;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>Speaks to the router as a program with verbs, or like one that lies.</summary>
internal sealed class FakeVerbs : IDisposable
{
    private const int TimeoutSeconds = 10;

    private readonly int _socket;
    private readonly Socket _bound = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);

    public unsafe FakeVerbs(RouterUnderTest router)
    {
        _socket = SeqPacket.Connect(router.SocketPath);
        if (_socket < 0) throw new InvalidOperationException($"{router.SocketPath}: {Errno.LastText}");
        long* timeout = stackalloc long[2] { TimeoutSeconds, 0 };
        Libc.setsockopt(_socket, Libc.SOL_SOCKET, Libc.SO_RCVTIMEO, timeout, 16);
        _bound.Bind(new IPEndPoint(IPAddress.Loopback, 0));
    }

    /// <summary>Whose address is proven by <see cref="Proof"/>.</summary>
    public static InternetAddress Address { get; } = InternetAddress.FromIPv4(IPAddress.Loopback.GetAddressBytes());

    public int Proof => (int)_bound.Handle;

    /// <summary>One that has said hello.</summary>
    public static FakeVerbs Greeted(RouterUnderTest router)
    {
        FakeVerbs verbs = new(router);
        byte[] packet = new byte[Protocol.MaximumMessageBytes];
        verbs.Send(packet.AsSpan(0, new VerbsHello { ProtocolVersion = VerbsProtocol.Version, ProcessId = 1, ProgramName = "verbs"u8 }.Write(packet)));
        return verbs.Reply().Status == 0 ? verbs : throw new InvalidOperationException($"no welcome: {router.Process.Output}");
    }

    public bool Send(ReadOnlySpan<byte> packet, params ReadOnlySpan<int> descriptors) => SeqPacket.Send(_socket, packet, descriptors);

    /// <summary>The number of a new queue pair.</summary>
    public uint Create(uint kind = VerbsProtocol.ReliableConnection)
    {
        byte[] packet = new byte[Protocol.MaximumMessageBytes];
        Send(packet.AsSpan(0, new VerbsCreateQueuePair { Domain = 1, Kind = kind }.Write(packet)));
        return (uint)Reply().Value;
    }

    /// <summary>Names a peer; the answer's errno.</summary>
    public uint Connect(uint number, uint peer, int? proof = null)
    {
        byte[] packet = new byte[Protocol.MaximumMessageBytes];
        (ulong high, ulong low) = ((ulong)(Address.Value >> 64), (ulong)Address.Value);
        VerbsConnect connect = new()
        {
            Number = number, PeerNumber = peer, Access = VerbsProtocol.RemoteAccess, OwnHigh = high, OwnLow = low, PeerHigh = high, PeerLow = low,
        };
        Send(packet.AsSpan(0, connect.Write(packet)), proof ?? Proof);
        return Reply().Status;
    }

    public uint Listen(uint number)
    {
        byte[] packet = new byte[Protocol.MaximumMessageBytes];
        Send(packet.AsSpan(0, new VerbsListen { Number = number }.Write(packet)));
        return Reply().Status;
    }

    /// <summary>Lets others use a region that lies in one memfd; the answer's errno.</summary>
    public uint Register(uint key, int memory, ulong length)
    {
        byte[] packet = new byte[Protocol.MaximumMessageBytes];
        Send(packet.AsSpan(0, new VerbsRegister { Domain = 1, Key = key, Access = VerbsProtocol.RemoteAccess, Length = length }.Write(packet)), memory);
        return Reply().Status;
    }

    /// <summary>Writes into the peer's edge; the answer's errno.</summary>
    public uint WriteEdge(uint number, uint key, ReadOnlySpan<byte> data)
    {
        byte[] packet = new byte[Protocol.MaximumMessageBytes];
        Send(packet.AsSpan(0, new VerbsEdge { Number = number, Key = key, Operation = 1, Length = (uint)data.Length, Data = data }.Write(packet)));
        Span<byte> answer = stackalloc byte[Protocol.MaximumMessageBytes];
        int length = Receive(answer, out _);
        return length > 0 && VerbsEdgeReply.TryRead(answer[..length], out VerbsEdgeReply reply) ? reply.Status : throw new InvalidOperationException("no answer");
    }

    /// <summary>The next message; its descriptors are closed. Throws after ten seconds.</summary>
    public VerbsReply Reply()
    {
        Span<byte> answer = stackalloc byte[Protocol.MaximumMessageBytes];
        int length = Receive(answer, out bool isClosed);
        if (isClosed) throw new InvalidOperationException("the router has closed the session");
        return VerbsReply.TryRead(answer[..length], out VerbsReply reply) ? reply
            : VerbsJoin.TryRead(answer[..length], out _) || VerbsGrant.TryRead(answer[..length], out _) ? default : throw new InvalidOperationException($"type {answer[1]}");
    }

    /// <summary>True if the router has closed the session, or does so now.</summary>
    public bool IsClosed()
    {
        Span<byte> answer = stackalloc byte[Protocol.MaximumMessageBytes];
        while (true)
        {
            Receive(answer, out bool isClosed);
            if (isClosed) return true;
        }
    }

    public void Dispose()
    {
        Libc.close(_socket);
        _bound.Dispose();
    }

    private int Receive(Span<byte> answer, out bool isClosed)
    {
        Span<int> descriptors = stackalloc int[SeqPacket.MostDescriptors];
        int length, count;
        do length = SeqPacket.Receive(_socket, answer, descriptors, out count, out _, 0);
        while (length < 0 && Errno.Last == Errno.EINTR);
        if (length < 0 && Errno.Last == Errno.EAGAIN) throw new TimeoutException($"the router sent nothing for {TimeoutSeconds} seconds");
        foreach (int descriptor in descriptors[..count]) Libc.close(descriptor);
        isClosed = length <= 0;
        return length;
    }
}
