using System.IO.Pipelines;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Connections;

namespace FreeFlow.DevicePlugin.Http2;

/// <summary>
/// A connection middleware that names the server "localhost" to itself. Kubelets before 1.26 send the socket's path as ":authority", which
/// Kestrel refuses as no host name; on a Unix socket the name says nothing anyway.
/// </summary>
internal static class LocalAuthority
{
    internal static ConnectionDelegate Wrap(ConnectionDelegate next) => async connection =>
    {
        IDuplexPipe transport = connection.Transport;
        Pipe rewritten = new();
        Task copying = new FrameRewriter(transport.Input, rewritten.Writer).RunAsync();
        connection.Transport = new DuplexPipe(rewritten.Reader, transport.Output);
        try
        {
            await next(connection);
        }
        finally
        {
            connection.Transport = transport;
            await rewritten.Reader.CompleteAsync();
            transport.Input.CancelPendingRead();
            await copying;
        }
    };
}
