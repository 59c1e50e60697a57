using System;
using System.IO;
using System.Net.Http;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;

namespace FreeFlow.Locations.Etcd;

/// <summary>An open stream of watch answers, one JSON object a line.</summary>
internal sealed class EtcdWatch(HttpResponseMessage response, Stream stream, Uri endpoint) : IDisposable
{
    private readonly LineReader _lines = new(stream, longest: 256 << 20);

    public Uri Endpoint { get; } = endpoint;

    /// <summary>The next answer; throws <see cref="EtcdException"/> when the stream has ended, for whatever reason.</summary>
    public async ValueTask<WatchResponse> ReadAsync(CancellationToken stop)
    {
        try
        {
            ReadOnlyMemory<byte>? line = await _lines.ReadAsync(stop).ConfigureAwait(false);
            if (line is null) throw new EtcdException($"{Endpoint.Authority}: closed the watch", EtcdException.Unavailable);
            WatchMessage? message = JsonSerializer.Deserialize(line.Value.Span, EtcdJson.Default.WatchMessage);
            if (message?.error is { } error) throw new EtcdException($"{Endpoint.Authority}: {error.message}", error.grpc_code);
            return message?.result ?? throw new EtcdException($"{Endpoint.Authority}: an empty watch answer", EtcdException.Unavailable);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or JsonException)
        {
            throw new EtcdException($"{Endpoint.Authority}: {HttpConnections.Reason(exception)}", EtcdException.Unavailable);
        }
    }

    public void Dispose() => response.Dispose();
}
