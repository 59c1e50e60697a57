using System;
using System.IO;
using System.Net.Security;

namespace FreeFlow.Router.Fabric.Wire;

/// <summary>A TLS connection whose handshake is done: both sides have shown a certificate.</summary>
internal sealed class TlsChannel(SslStream stream, ChannelStream below) : IByteChannel
{
    /// <summary>Header, payload and expansion of one record (RFC 8446, section 5.2). With so many bytes at hand TLS need not wait for the rest of any.</summary>
    private const int MaximumRecordBytes = 5 + (1 << 14) + 256;

    public bool HasKept => below.HasKept;

    // What TLS has decrypted already is not seen: then the next Receive does not wait.
    public bool HasInput => below.HasInput;

    public bool Send(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third, bool mayWait)
    {
        try
        {
            below.Begin(mayWait);
            if (!first.IsEmpty) stream.Write(first);
            if (!second.IsEmpty) stream.Write(second);
            if (!third.IsEmpty) stream.Write(third);
            return below.End();
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException) { return false; }
    }

    public int Receive(Span<byte> first, Span<byte> second, Span<byte> third)
    {
        try
        {
            Span<byte> target = !first.IsEmpty ? first : !second.IsEmpty ? second : third;
            int received = stream.Read(target);
            // Several records together, as far as that waits for nothing: for each piece that it is given a reader may have to be woken.
            for (int more = received; more > 0 && received < target.Length && below.Buffered >= MaximumRecordBytes; received += more) more = stream.Read(target[received..]);
            return received;
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException) { return 0; }
    }

    public void Abort() => below.Abort();

    public void Dispose() => stream.Dispose();
}
