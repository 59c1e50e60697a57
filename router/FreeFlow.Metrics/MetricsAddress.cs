using System;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;
using FreeFlow.Native;

namespace FreeFlow.Metrics;

/// <summary>Where metrics are served: ADDRESS:PORT or unix:PATH.</summary>
/// <param name="EndPoint">What to listen on.</param>
/// <param name="Path">The socket's path; null for an address.</param>
public sealed record MetricsAddress(EndPoint EndPoint, string? Path)
{
    private const string Unix = "unix:";
    private const int LongestPath = 107; // unix(7)
    private const uint OwnerAndGroup = 0x1b0; // 0660

    /// <summary>Throws <see cref="FormatException"/> with a good value.</summary>
    public static MetricsAddress Parse(string text)
    {
        if (text.StartsWith(Unix, StringComparison.Ordinal))
        {
            string path = text[Unix.Length..];
            if (!System.IO.Path.IsPathRooted(path)) throw new FormatException("give the whole path, as unix:/run/freeflow/metrics.sock.");
            if (Encoding.UTF8.GetByteCount(path) > LongestPath) throw new FormatException($"a socket's path has {LongestPath} bytes at most.");
            return new(new UnixDomainSocketEndPoint(path), path);
        }
        // A lone IPv6 address parses, too, and has no port.
        if (IPEndPoint.TryParse(text, out IPEndPoint? point) && point.Port != 0 && text.EndsWith($":{point.Port}", StringComparison.Ordinal)
            && (point.AddressFamily == AddressFamily.InterNetwork || text[0] == '['))
        {
            return new(point, null);
        }
        throw new FormatException("give ADDRESS:PORT, as 127.0.0.1:9464 or [::1]:9464, or unix:PATH.");
    }

    /// <summary>A socket that listens there; throws <see cref="IOException"/> with one line.</summary>
    internal Socket Listen(int backlog)
    {
        Socket socket = new(EndPoint.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            if (Path is not null) RemoveUnused();
            socket.Bind(EndPoint);
            if (Path is not null && Libc.chmod(Path, OwnerAndGroup) != 0) throw new IOException(Errno.LastText);
            socket.Listen(backlog);
            return socket;
        }
        catch (Exception exception) when (exception is SocketException or IOException or UnauthorizedAccessException)
        {
            socket.Dispose();
            throw new IOException($"--metrics {this}: cannot listen there ({exception.Message}).", exception);
        }
    }

    /// <summary>As on the command line.</summary>
    public override string ToString() => Path is null ? EndPoint.ToString()! : Unix + Path;

    /// <summary>A socket that nobody listens on any more is in the way of the next one; anything else that has this name stays.</summary>
    private void RemoveUnused()
    {
        if (Libc.stat(Path!, out FileStatus file) != 0 || (file.Mode & Libc.S_IFMT) != Libc.S_IFSOCK) return;
        try
        {
            using Socket caller = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            caller.Connect(EndPoint);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(Path!);
        }
    }
}
