using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;

namespace FreeFlow.Locations.Tests.Servers;

/// <summary>A wire between a client and its server that can be cut while both live.</summary>
internal sealed class Relay : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Uri _target;
    private readonly List<Socket> _sockets = [];
    private bool _cut;

    public Relay(string target)
    {
        _target = new(target);
        _listener.Start();
        _ = AcceptAsync();
    }

    public string Url => $"{_target.Scheme}://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/";

    /// <summary>It is as a proxy that speaks HTTP/1.1 only, and not to clients that begin with HTTP/2 (RFC 9113, 3.4).</summary>
    public bool RefusesHttp2 { get; init; }

    /// <summary>Ends every connection, and every new one at once.</summary>
    public void Cut()
    {
        lock (_sockets)
        {
            _cut = true;
            foreach (Socket socket in _sockets) socket.Dispose();
            _sockets.Clear();
        }
    }

    public void Mend() { lock (_sockets) _cut = false; }

    public void Dispose()
    {
        Cut();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket near = await _listener.AcceptSocketAsync();
                Socket far = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                lock (_sockets)
                {
                    if (_cut) { near.Dispose(); far.Dispose(); continue; }
                    _sockets.AddRange([near, far]);
                }
                _ = Task.Run(async () =>
                {
                    try
                    {
                        await far.ConnectAsync(IPAddress.Loopback, _target.Port);
                        if (RefusesHttp2 && await BeginsWithHttp2Async(near)) await near.SendAsync("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
                        else await Task.WhenAny(CopyAsync(near, far), CopyAsync(far, near));
                    }
                    catch (Exception exception) when (exception is SocketException or ObjectDisposedException) { /* Cut, or no server. */ }
                    near.Dispose();
                    far.Dispose();
                });
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException) { /* The end. */ }
    }

    private static async Task<bool> BeginsWithHttp2Async(Socket socket)
    {
        byte[] begin = new byte[3];
        return await socket.ReceiveAsync(begin, SocketFlags.Peek) == begin.Length && begin.AsSpan().SequenceEqual("PRI"u8);
    }

    private static async Task CopyAsync(Socket from, Socket to)
    {
        byte[] buffer = new byte[65536];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and int count) await to.SendAsync(buffer.AsMemory(0, count));
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException) { /* Cut. */ }
    }
}
