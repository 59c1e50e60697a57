using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using FreeFlow.Contract.Layout;
using FreeFlow.Router.Fabric.Wire;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Tests.Fabric;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>One that another router believes to be a host's, and that says what comes to its mind: mostly what is possible at that moment, or nearly so.</summary>
/// <param name="channel">To the other router, which believes in it; this object's.</param>
/// <param name="random">What decides.</param>
/// <param name="victim">A connection that is none of its host's.</param>
internal sealed class HostileRouter(IByteChannel channel, Random random, TcpPair victim) : IDisposable
{
    private const int Flood = 2000;

    private readonly List<byte> _heard = [];
    private readonly List<FabricOffer> _offers = [];
    private readonly List<uint> _streams = [];

    /// <summary>Frames, or floods of them, that it has sent.</summary>
    public int Sent { get; private set; }

    /// <summary>How many streams it has begun with the other side.</summary>
    public int Streams => _streams.Count;

    /// <summary>Listens, and sends a frame, or many. False once the other side has ended it.</summary>
    public bool SendOne()
    {
        if (!Hear()) return false;
        // Half of its life it only answers what it is offered, so that there are streams to lie about.
        if (_offers.Count > 0 && random.Next(4) == 0 && !Accept(_offers[random.Next(_offers.Count)])) return false;
        byte[] frame = random.Next(100) switch { 0 => Many(), 1 => Broken(), < 8 => Nonsense(), _ => Possible() };
        if (!channel.Send(frame, default, default, mayWait: true)) return false;
        Sent++;
        return true;
    }

    public void Dispose() => channel.Dispose();

    /// <summary>False if the other side has ended it.</summary>
    private bool Hear()
    {
        byte[] some = new byte[65536];
        while (channel.HasInput)
        {
            int count = channel.Receive(some, default, default);
            if (count <= 0) return false;
            _heard.AddRange(some.AsSpan(0, count));
        }
        while (_heard.Count >= FrameHeader.Bytes)
        {
            FrameHeader header = MemoryMarshal.Read<FrameHeader>(CollectionsMarshal.AsSpan(_heard));
            if (_heard.Count < FrameHeader.Bytes + (int)header.Length) break;
            if (header.Type == FrameType.Offer && FabricOffer.TryRead(CollectionsMarshal.AsSpan(_heard).Slice(FrameHeader.Bytes, (int)header.Length), out FabricOffer offer)) _offers.Add(offer);
            _heard.RemoveRange(0, FrameHeader.Bytes + (int)header.Length);
        }
        return true;
    }

    /// <summary>As an honest router would, with a ring of any size.</summary>
    private bool Accept(FabricOffer offer)
    {
        if (!_streams.Contains(offer.Number)) _streams.Add(offer.Number);
        byte[] message = new byte[FrameHeader.MaximumMessageBytes], mark = new byte[RingLayout.ReturnMarkBytes];
        FabricAccept accept = new()
        {
            Offer = offer.Number, Stream = (uint)random.Next(1, 10), Capacity = RingLayout.MinimumCapacity << random.Next(8), MarkToOffering = mark, MarkToAccepting = mark,
            Sequence = new InitialSequence(offer.Sequence.Received, offer.Sequence.Sent),
        };
        int length = accept.Write(message);
        return channel.Send(TestRouter.Frame(new FrameHeader { Type = FrameType.Accept, Length = (uint)length }, message.AsSpan(0, length)), default, default, mayWait: true);
    }

    private byte[] Many()
    {
        List<byte> all = [];
        FrameType type = random.Next(3) switch { 0 => FrameType.Offer, 1 => FrameType.Withdraw, _ => FrameType.Accept };
        for (int i = 0; i < Flood; i++) all.AddRange(Message(type, (uint)i));
        return [.. all];
    }

    private byte[] Broken()
    {
        byte[] frame = Possible();
        frame[random.Next(frame.Length)] ^= (byte)(1 << random.Next(8));
        return random.Next(3) == 0 ? frame[..random.Next(1, frame.Length)] : frame;
    }

    /// <summary>A frame that is one, with a message that is none.</summary>
    private byte[] Nonsense()
    {
        byte[] frame = Message(random.Next(2) == 0 ? FrameType.Offer : FrameType.Accept, (uint)random.Next(1, 20));
        frame[random.Next(FrameHeader.Bytes, frame.Length)] ^= (byte)(1 << random.Next(8));
        return frame;
    }

    /// <summary>What cannot be ends the link: of a stream that there is not, and of bytes out of their place, there is little, or nothing else would be said.</summary>
    private byte[] Possible() => random.Next(8) switch
    {
        0 or 1 => Message(FrameType.Offer, (uint)random.Next(1, 20)),
        2 => Message(random.Next(2) == 0 ? FrameType.Withdraw : FrameType.Ping, (uint)random.Next(20)),
        3 => Message(FrameType.Accept, (uint)random.Next(20)),
        _ when _streams.Count > 0 || random.Next(200) == 0 => OfAStream(),
        _ => Message(FrameType.Ping, 0),
    };

    private byte[] Message(FrameType type, uint number)
    {
        byte[] message = new byte[FrameHeader.MaximumMessageBytes];
        int length = 0;
        if (type == FrameType.Offer) length = new FabricOffer { Number = Math.Max(number, 1), Addresses = Addresses(), Sequence = new InitialSequence((uint)random.Next(), (uint)random.Next()), Place = random.Next(2) == 0 ? 0 : RingLayout.MaximumCapacity }.Write(message);
        if (type == FrameType.Accept)
        {
            byte[] mark = new byte[RingLayout.ReturnMarkBytes];
            length = new FabricAccept { Offer = number, Stream = (uint)random.Next(1, 10), Capacity = RingLayout.MaximumCapacity, MarkToOffering = mark, MarkToAccepting = mark }.Write(message);
        }
        return TestRouter.Frame(new FrameHeader { Type = type, Length = (uint)length, Position = type == FrameType.Withdraw ? number : 0 }, message.AsSpan(0, length));
    }

    /// <summary>Those of a neighbour's connection, either way, or of one of its own.</summary>
    private FourTuple Addresses()
    {
        InternetEndpoint client = At(victim.Client), server = At(victim.Server);
        return random.Next(3) switch
        {
            0 => new FourTuple(client, server),
            1 => new FourTuple(server, client),
            _ when _offers.Count > 0 => _offers[random.Next(_offers.Count)].Addresses.Mirrored,
            _ => new FourTuple(server, client with { Port = (ushort)random.Next(65536) }),
        };
    }

    private byte[] OfAStream()
    {
        FrameType type = random.Next(30) == 0 ? FrameType.Data : (FrameType)random.Next((int)FrameType.Credit, (int)FrameType.RecallAnswer + 1);
        uint stream = _streams.Count > 0 ? _streams[random.Next(_streams.Count)] : (uint)random.Next(1, 5);
        ulong position = random.Next(30) switch { 0 => (ulong)random.NextInt64(), 1 => 1, _ => 0 };
        byte[] payload = new byte[type == FrameType.Data ? random.Next(1, 5000) : 0];
        ulong credit = random.Next(100) == 0 ? (ulong)random.Next(1000) : 0;
        return TestRouter.Frame(new FrameHeader { Type = type, Length = (uint)payload.Length, Stream = stream, Position = position, Credit = credit }, payload);
    }

    private static InternetEndpoint At(Socket socket)
    {
        IPEndPoint point = (IPEndPoint)socket.LocalEndPoint!;
        return new InternetEndpoint(InternetAddress.FromIPv4(point.Address.MapToIPv4().GetAddressBytes()), (ushort)point.Port);
    }
}
