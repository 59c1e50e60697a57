using System;
using System.Buffers;
using System.Buffers.Binary;
using System.IO;
using System.IO.Pipelines;
using System.Threading.Tasks;

namespace FreeFlow.DevicePlugin.Http2;

/// <summary>
/// Copies what a client sends on an HTTP/2 connection, frame by frame, with the header blocks written anew (RFC 9113, sections 3.4 and 4).
/// Everything else passes as it is: the server behind it judges it.
/// </summary>
internal sealed class FrameRewriter(PipeReader source, PipeWriter target)
{
    private const int FrameHeader = 9;
    private const int LargestFrame = 16384;
    private const int LargestBlock = 65536;
    private const byte Headers = 1, Continuation = 9;
    private const byte EndStream = 1, EndHeaders = 4, Padded = 8, Priority = 32;

    private readonly HeaderBlockRewriter _blocks = new();

    /// <summary>Copies until either side ends, then completes both with the fault, if there is one.</summary>
    internal async Task RunAsync()
    {
        Exception? fault = null;
        try
        {
            await CopyAsync();
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or OperationCanceledException)
        {
            fault = exception;
        }
        await target.CompleteAsync(fault);
    }

    private async Task CopyAsync()
    {
        if (await ReadAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.Length) is not { } preface) return;
        await target.WriteAsync(preface);
        while (await ReadAsync(FrameHeader) is { } header)
        {
            int length = LengthOf(header);
            if (length > LargestFrame) throw new InvalidDataException($"a frame of {length} bytes: {LargestFrame} are allowed.");
            byte[] payload = await ReadAsync(length) ?? throw new InvalidDataException("the connection ends within a frame.");
            if (header[3] == Headers) await target.WriteAsync(await RewriteAsync(header, payload));
            else
            {
                await target.WriteAsync(header);
                if (payload.Length != 0) await target.WriteAsync(payload);
            }
        }
    }

    // The HEADERS frame and its CONTINUATION frames become one HEADERS frame and, if it is long, CONTINUATION frames.
    private async Task<byte[]> RewriteAsync(byte[] header, byte[] payload)
    {
        byte flags = header[4];
        ArrayBufferWriter<byte> block = new();
        block.Write(Fragment(flags, payload));
        while ((flags & EndHeaders) == 0)
        {
            byte[] next = await ReadAsync(FrameHeader) ?? throw new InvalidDataException("the connection ends within a header block.");
            int length = LengthOf(next);
            if (next[3] != Continuation || !next.AsSpan(5, 4).SequenceEqual(header.AsSpan(5, 4)))
                throw new InvalidDataException("a header block is broken by another frame.");
            if (length > LargestFrame || block.WrittenCount + length > LargestBlock)
                throw new InvalidDataException($"a header block of more than {LargestBlock} bytes.");
            block.Write(await ReadAsync(length) ?? throw new InvalidDataException("the connection ends within a header block."));
            flags |= (byte)(next[4] & EndHeaders);
        }
        return Frames(_blocks.Rewrite(block.WrittenSpan), header.AsSpan(5, 4), (byte)(flags & EndStream));
    }

    private static ReadOnlySpan<byte> Fragment(byte flags, byte[] payload)
    {
        int padding = (flags & Padded) == 0 ? 0 : payload.Length > 0 ? payload[0]
            : throw new InvalidDataException("a padded frame without its padding.");
        int start = ((flags & Padded) == 0 ? 0 : 1) + ((flags & Priority) == 0 ? 0 : 5);
        int length = payload.Length - start - padding;
        return length >= 0 ? payload.AsSpan(start, length) : throw new InvalidDataException("a frame's padding is longer than the frame.");
    }

    private static byte[] Frames(ReadOnlySpan<byte> block, ReadOnlySpan<byte> stream, byte endStream)
    {
        ArrayBufferWriter<byte> frames = new(block.Length + FrameHeader);
        bool isFirst = true;
        do
        {
            ReadOnlySpan<byte> part = block[..Math.Min(block.Length, LargestFrame)];
            block = block[part.Length..];
            Span<byte> header = frames.GetSpan(FrameHeader);
            BinaryPrimitives.WriteInt32BigEndian(header, part.Length << 8);
            header[3] = isFirst ? Headers : Continuation;
            header[4] = (byte)((isFirst ? endStream : 0) | (block.IsEmpty ? EndHeaders : 0));
            stream.CopyTo(header[5..]);
            frames.Advance(FrameHeader);
            frames.Write(part);
            isFirst = false;
        }
        while (!block.IsEmpty);
        return frames.WrittenSpan.ToArray();
    }

    private static int LengthOf(byte[] header) => (header[0] << 16) | (header[1] << 8) | header[2];

    // Null where the connection ends before the first of them.
    private async Task<byte[]?> ReadAsync(int count)
    {
        if (count == 0) return [];
        ReadResult read = await source.ReadAtLeastAsync(count);
        if (read.IsCanceled || read.Buffer.Length < count)
        {
            bool isClean = read.Buffer.IsEmpty || read.IsCanceled;
            source.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            return isClean ? null : throw new InvalidDataException("the connection ends within a frame.");
        }
        byte[] bytes = read.Buffer.Slice(0, count).ToArray();
        source.AdvanceTo(read.Buffer.GetPosition(count));
        return bytes;
    }
}
