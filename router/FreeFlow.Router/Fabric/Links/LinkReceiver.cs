using System;
using System.Collections.Concurrent;
using System.Threading;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Fabric.Wire;

namespace FreeFlow.Router.Fabric.Links;

/// <summary>The receiving half of a link: reads frames and acts on them. Whatever no honest router sends ends the link.</summary>
internal sealed class LinkReceiver(IFabricLink link, FrameReader reader, ConcurrentDictionary<uint, FabricStream> streams, LinkSender sender, LinkPoller poller, IFabricEvents events)
{
    private long _dataBytes;
    private readonly byte[] _unwanted = new byte[16 * 1024];

    /// <summary>Bytes placed into rings so far; any thread.</summary>
    public long DataBytes => Volatile.Read(ref _dataBytes);

    /// <summary>Works until the channel ends; says why it did.</summary>
    public string Run()
    {
        while (true)
        {
            if (reader.IsEmpty) poller.Wait();
            if (!reader.TryReadHeader(out FrameHeader header)) break;
            poller.Arrived();
            if (!header.IsPossible || header.Type == FrameType.Hello) return $"malformed frame: type {(int)header.Type}, {header.Length} bytes, stream {header.Stream}";
            if (header.Stream == 0)
            {
                byte[] message = new byte[header.Length];
                if (!reader.TryRead(message)) break;
                if (header.Type != FrameType.Ping) events.Received(link, header.Type, header.Position, message);
                continue;
            }
            if (!streams.TryGetValue(header.Stream, out FabricStream? stream))
            {
                // A stream that this side turned down without ever having had it.
                if (header.Type == FrameType.Close) continue;
                return $"frame of type {header.Type} for stream {header.Stream}, which there is not";
            }
            if (header.Type == FrameType.Data)
            {
                if (!stream.Reserve(header, out Span<byte> first, out Span<byte> second)) return $"{stream.Name}: {header.Length} bytes at {header.Position}, which is not their place";
                if (stream.IsCorrupt) sender.Wake(stream);
                poller.Expect(stream, header.Length);
                bool read = first.IsEmpty ? Drop(header.Length) : Place(stream, first, second);
                if (!read) break;
                continue;
            }
            if (!stream.Handle(header, out bool wake)) return $"{stream.Name}: {header.Type} at {header.Position}, credit {header.Credit}: impossible";
            // After Close its numbers mean nothing any more, and the sending thread may free it.
            if (stream.IsRemoteClosed) { poller.Forget(stream); streams.TryRemove(stream.Number, out _); }
            if (wake) sender.Wake(stream);
        }
        return "connection lost";
    }

    private bool Place(FabricStream stream, Span<byte> first, Span<byte> second)
    {
        while (first.Length + second.Length > 0)
        {
            int read = reader.ReadSome(first, second);
            if (read == 0) return false;
            Volatile.Write(ref _dataBytes, _dataBytes + read);
            if (stream.Publish(read)) sender.Tell(stream);
            int ofFirst = Math.Min(read, first.Length);
            first = first[ofFirst..];
            second = second[(read - ofFirst)..];
        }
        return true;
    }

    private bool Drop(uint length)
    {
        for (int left = (int)length; left > 0;)
        {
            int read = reader.ReadSome(_unwanted.AsSpan(0, Math.Min(left, _unwanted.Length)), default);
            if (read == 0) return false;
            left -= read;
        }
        return true;
    }
}
