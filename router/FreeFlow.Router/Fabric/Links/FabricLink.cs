using System;
using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using System.Threading;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Fabric.Wire;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Fabric.Links;

/// <summary>
/// Carries streams over one byte channel, with a thread that sends (it sleeps on all the streams' doorbells together) and one that receives (it sleeps in the
/// channel), so that a byte passes through the router with one wake-up, or none (<see cref="LinkPoller"/>). The receiving thread never waits for a stream's program: its ring has room for all the
/// other router may send.
/// </summary>
internal sealed class FabricLink : IFabricLink
{
    private const int MostUnheard = 1024;

    private readonly IByteChannel _channel;
    private readonly IFabricEvents _events;
    private readonly ConcurrentDictionary<uint, FabricStream> _streams = new();
    private readonly FrameWriter _writer;
    private readonly LinkSender _sender;
    private readonly LinkReceiver _receiver;
    private readonly Thread _sending, _receiving;
    private volatile string? _closed;
    private int _lost;

    /// <param name="host">Proven address of the other router.</param>
    /// <param name="channel">Hello is done on it; it is the link's from now on.</param>
    /// <param name="events">Told of what happens.</param>
    public FabricLink(InternetAddress host, IByteChannel channel, IFabricEvents events)
    {
        Host = host;
        _channel = channel;
        _events = events;
        _writer = new FrameWriter(channel);
        _sender = new LinkSender(_writer, _streams, channel.LargestPayload);
        _receiver = new LinkReceiver(this, new FrameReader(channel), _streams, _sender, new LinkPoller(channel, _sender), events);
        _sending = new Thread(Sending) { IsBackground = true, Name = "fabric-send" };
        _receiving = new Thread(Receiving) { IsBackground = true, Name = "fabric-receive" };
    }

    public InternetAddress Host { get; }

    /// <summary>This router has called the other one, not the other way round.</summary>
    public bool IsCalled { get; init; }

    public bool IsUp => Volatile.Read(ref _lost) == 0;

    public int Streams => _streams.Count;

    public long BytesSent => _writer.DataBytes;

    public long BytesReceived => _receiver.DataBytes;

    public bool IsCrowded => _sender.IsCrowded;

    public SemaphoreSlim Unheard { get; } = new(MostUnheard);

    /// <summary>What the other router has shown; null without certificates.</summary>
    public X509Certificate2? Certificate => _channel.Certificate;

    /// <summary>Begins. <see cref="IFabricEvents.Up"/> has been called before anything else is.</summary>
    public void Start()
    {
        _events.Up(this);
        if (!_sender.IsUsable) End("no descriptors are left");
        else if (!Threads.TryStart(_sending) || !Threads.TryStart(_receiving)) End(Threads.NoneToBeHad);
    }

    public void Send(FrameType type, ulong position, ReadOnlySpan<byte> message) => Enqueue(new FrameHeader { Type = type, Position = position }, message.ToArray());

    public void TurnDown(uint remote) => Enqueue(new FrameHeader { Type = FrameType.Close, Stream = remote }, []);

    public bool Carry(FabricStream stream)
    {
        _streams[stream.Number] = stream;
        if (_sender.Add(stream)) return true;
        _streams.TryRemove(stream.Number, out _);
        return false;
    }

    public void Leave(uint stream)
    {
        if (!_streams.TryGetValue(stream, out FabricStream? found)) return;
        found.Leave();
        _sender.Wake(found);
    }

    public void Abandon(uint stream)
    {
        if (!_streams.TryGetValue(stream, out FabricStream? found)) return;
        found.Abandon();
        _sender.Wake(found);
    }

    /// <summary>Ends the link; its threads do the rest.</summary>
    /// <param name="why">One line for the operator.</param>
    public void Close(string why)
    {
        _closed = why;
        _channel.Abort();
    }

    private void Enqueue(FrameHeader header, byte[] message)
    {
        if (!_sender.Enqueue(header, message)) Close("it does not read what it makes this router say");
    }

    private void Sending()
    {
        try { _sender.Run(); }
        // Its link ends, and no other one.
        catch (Exception exception) { _closed ??= $"a fault here: {exception.GetType().Name}: {exception.Message}"; }
        _channel.Abort();
    }

    private void Receiving()
    {
        string ended;
        try { ended = _receiver.Run(); }
        catch (Exception exception) { ended = $"a fault here: {exception.GetType().Name}: {exception.Message}"; }
        End(_closed ?? _channel.Problem ?? ended);
    }

    private void End(string reason)
    {
        Volatile.Write(ref _lost, 1);
        _channel.Abort();
        _sender.Stop();
        if ((_sending.ThreadState & ThreadState.Unstarted) == 0) _sending.Join();
        // Both threads are done with the streams. Their doorbells close, and so the programs learn that the kernel has their bytes again.
        _sender.DisposeStreams();
        _channel.Dispose();
        _events.Down(this, reason);
    }
}
