using System;
using System.IO;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Hosting;

namespace FreeFlow.Metrics;

/// <summary>
/// Serves GET /metrics, one answer a connection. Away from what does the daemon's work; a bounded number of callers at a time, of whom each has
/// a bounded time, and all of a moment get the same text.
/// </summary>
/// <param name="address">Where.</param>
/// <param name="registry">What is served.</param>
/// <param name="source">The daemon's figures.</param>
/// <param name="version">The program's.</param>
/// <param name="refuse">Makes the daemon's own exception of one line.</param>
public sealed class MetricsService(MetricsAddress address, MetricsRegistry registry, IMetricsSource source, string version, Func<string, Exception> refuse) : IHostedService, IDisposable
{
    private const int MostCallers = 16, Backlog = 16, LongestRequest = 8192;

    private static readonly TimeSpan s_requestsTime = TimeSpan.FromSeconds(2), s_callersTime = TimeSpan.FromSeconds(10), s_sourcesTime = TimeSpan.FromSeconds(5), s_textHolds = TimeSpan.FromMilliseconds(200);

    private readonly ProcessMetrics _process = new(registry, version);
    private readonly SemaphoreSlim _callers = new(MostCallers), _writing = new(1);
    private readonly CancellationTokenSource _stop = new();
    private Socket? _listener;
    private byte[] _text = [];
    private long _writtenAt = long.MinValue;

    /// <summary>Throws the daemon's exception if it cannot listen.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        try { _listener = address.Listen(Backlog); }
        catch (IOException exception) { throw refuse(exception.Message); }
        _ = Task.Run(AcceptAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <summary>Waits for no caller.</summary>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        _stop.Cancel();
        _listener?.Dispose();
        if (_listener is not null && address.Path is not null) File.Delete(address.Path);
        _listener = null;
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        _stop.Cancel();
        _listener?.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _callers.WaitAsync(_stop.Token).ConfigureAwait(false);
                Socket caller = await _listener!.AcceptAsync(_stop.Token).ConfigureAwait(false);
                _ = Task.Run(() => ServeAsync(caller), CancellationToken.None);
            }
            catch (OperationCanceledException) { return; }
            catch (ObjectDisposedException) { return; }
            catch (SocketException)
            {
                // The caller has gone, or there are no descriptors: later there may be.
                _callers.Release();
                await Task.Delay(100).ConfigureAwait(false);
            }
        }
    }

    private async Task ServeAsync(Socket caller)
    {
        try
        {
            using CancellationTokenSource time = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            time.CancelAfter(s_requestsTime);
            string? line = await ReadRequestAsync(caller, time.Token).ConfigureAwait(false);
            time.CancelAfter(s_callersTime);
            (string status, byte[] content) = await AnswerAsync(line, time.Token).ConfigureAwait(false);
            string header = $"HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {content.Length}\r\nConnection: close\r\n\r\n";
            bool headOnly = line?.StartsWith("HEAD ", StringComparison.Ordinal) == true;
            await SendAsync(caller, Encoding.ASCII.GetBytes(header), time.Token).ConfigureAwait(false);
            if (!headOnly) await SendAsync(caller, content, time.Token).ConfigureAwait(false);
            caller.Shutdown(SocketShutdown.Both);
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // It has gone, or was too slow.
        }
        finally
        {
            caller.Dispose();
            _callers.Release();
        }
    }

    /// <summary>The request's first line, once all of its head is there; null if that is none, or too long.</summary>
    private static async Task<string?> ReadRequestAsync(Socket caller, CancellationToken cancellationToken)
    {
        byte[] head = new byte[LongestRequest];
        for (int length = 0; length < head.Length;)
        {
            int read = await caller.ReceiveAsync(head.AsMemory(length), cancellationToken).ConfigureAwait(false);
            if (read == 0) return null;
            length += read;
            if (head.AsSpan(0, length).IndexOf("\r\n\r\n"u8) >= 0) return Encoding.ASCII.GetString(head, 0, head.AsSpan(0, length).IndexOf("\r\n"u8));
        }
        return null;
    }

    private async Task<(string Status, byte[] Content)> AnswerAsync(string? line, CancellationToken cancellationToken)
    {
        if (line?.Split(' ') is not [string method, string target, string protocol] || !protocol.StartsWith("HTTP/1.", StringComparison.Ordinal)) return ("400 Bad Request", "400\n"u8.ToArray());
        if (method is not ("GET" or "HEAD")) return ("405 Method Not Allowed", "GET /metrics\n"u8.ToArray());
        int query = target.IndexOf('?', StringComparison.Ordinal);
        if ((query < 0 ? target : target[..query]) != "/metrics") return ("404 Not Found", "GET /metrics\n"u8.ToArray());
        try
        {
            return ("200 OK", await TextAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (TimeoutException)
        {
            return ("503 Service Unavailable", "the daemon has not answered in time\n"u8.ToArray());
        }
    }

    private async Task<byte[]> TextAsync(CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_text.Length > 0 && Environment.TickCount64 - _writtenAt < s_textHolds.TotalMilliseconds) return _text;
            await source.RefreshAsync(_stop.Token).WaitAsync(s_sourcesTime, _stop.Token).ConfigureAwait(false);
            _process.Refresh();
            _text = await registry.WriteAsync(_stop.Token).ConfigureAwait(false);
            _writtenAt = Environment.TickCount64;
            return _text;
        }
        finally
        {
            _writing.Release();
        }
    }

    private static async Task SendAsync(Socket caller, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (bytes.Length > 0) bytes = bytes[await caller.SendAsync(bytes, cancellationToken).ConfigureAwait(false)..];
    }
}
