using System;
using System.Buffers;
using System.Buffers.Binary;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Threading;
using System.Threading.Tasks;

namespace FreeFlow.Locations.Etcd;

/// <summary>One gRPC call with one message each way: "gRPC over HTTP/2" (grpc/doc/PROTOCOL-HTTP2.md).</summary>
internal static class GrpcCall
{
    /// <summary>A flag (1: compressed, which is not asked for) and the message's length, most significant byte first.</summary>
    private const int PrefixLength = 5;

    /// <summary>Far more than a page needs; what claims to be longer is not read.</summary>
    private const int LongestMessage = 64 << 20;

    /// <summary>Reads a message; throws <see cref="InvalidDataException"/> if it is none.</summary>
    public delegate TAnswer Parser<TAnswer>(ReadOnlySpan<byte> message);

    /// <summary>Throws <see cref="HttpRequestException"/> if the server is not there or does not speak HTTP/2, <see cref="IOException"/> or <see cref="InvalidDataException"/> for an answer that breaks off, is none, or is an error's.</summary>
    /// <param name="http">Whose connections are used.</param>
    /// <param name="method">Server, service and method.</param>
    /// <param name="token">etcd's token, null without authentication.</param>
    /// <param name="request">The message that is sent.</param>
    /// <param name="parser">Reads the one that comes.</param>
    /// <param name="stop">Ends the call early.</param>
    public static async Task<TAnswer> AskAsync<TAnswer>(HttpClient http, Uri method, string? token, byte[] request, Parser<TAnswer> parser, CancellationToken stop)
    {
        using HttpRequestMessage message = new(HttpMethod.Post, method) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = Framed(request) };
        message.Headers.TE.Add(new("trailers"));
        // What the JSON gateway makes of "Grpc-Metadata-hasleader" and "Authorization".
        message.Headers.TryAddWithoutValidation("hasleader", "true");
        if (token is not null) message.Headers.TryAddWithoutValidation("authorization", token);
        using HttpResponseMessage response = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, stop).ConfigureAwait(false);
        Stream body = await response.EnsureSuccessStatusCode().Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
        // An error that is known at once comes without a message, its status among the headers; any other one's is behind the message.
        if (Status(response.Headers) is { } refused) throw new InvalidDataException($"gRPC status {refused}");
        TAnswer answer = await ReadAsync(body, parser, stop).ConfigureAwait(false);
        if (await body.ReadAsync(new byte[1], stop).ConfigureAwait(false) != 0) throw new InvalidDataException("more than one gRPC message");
        return Status(response.TrailingHeaders) is "0" ? answer : throw new InvalidDataException("a gRPC message without the status that it is good");
    }

    private static ByteArrayContent Framed(byte[] request)
    {
        byte[] framed = new byte[PrefixLength + request.Length];
        BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), request.Length);
        request.CopyTo(framed, PrefixLength);
        return new(framed) { Headers = { ContentType = new("application/grpc") } };
    }

    private static async Task<TAnswer> ReadAsync<TAnswer>(Stream body, Parser<TAnswer> parser, CancellationToken stop)
    {
        byte[] prefix = new byte[PrefixLength];
        await body.ReadExactlyAsync(prefix, stop).ConfigureAwait(false);
        uint length = BinaryPrimitives.ReadUInt32BigEndian(prefix.AsSpan(1));
        if (prefix[0] != 0 || length > LongestMessage) throw new InvalidDataException($"a gRPC message of {length} bytes with flag {prefix[0]}");
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)length);
        try
        {
            await body.ReadExactlyAsync(buffer.AsMemory(0, (int)length), stop).ConfigureAwait(false);
            return parser(buffer.AsSpan(0, (int)length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static string? Status(HttpResponseHeaders headers) => headers.TryGetValues("grpc-status", out var values) ? values.FirstOrDefault() : null;
}
