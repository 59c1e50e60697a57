using System;
using System.IO;
using System.Net.Http;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading;
using System.Threading.Tasks;

namespace FreeFlow.Locations;

/// <summary>Makes HTTP clients for servers that are watched: their own TLS, no proxy, and TCP connections whose death the kernel notices by itself.</summary>
public static class HttpConnections
{
    /// <summary>A client without a time limit of its own: each call brings one.</summary>
    public static HttpClient Open(SslClientAuthenticationOptions tls, TimeSpan connectTimeout) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        ConnectTimeout = connectTimeout,
        PooledConnectionIdleTimeout = TimeSpan.FromMinutes(2),
        ConnectCallback = ConnectAsync,
        SslOptions = tls,
    })
    { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Verification as always (name and chain), with the given authorities in place of the system's if there are any. All three are PEM texts.
    /// Throws <see cref="CryptographicException"/> for text that is none.</summary>
    public static SslClientAuthenticationOptions Tls(string? authorities, string? certificate, string? key)
    {
        SslClientAuthenticationOptions tls = new();
        if (authorities is not null)
        {
            X509ChainPolicy policy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
            policy.CustomTrustStore.ImportFromPem(authorities);
            if (policy.CustomTrustStore.Count == 0) throw new CryptographicException("there is no certificate in the file of authorities");
            tls.CertificateChainPolicy = policy;
        }
        if (certificate is not null)
        {
            X509Certificate2 own;
            try { own = X509Certificate2.CreateFromPem(certificate, key ?? certificate); }
            catch (ArgumentException exception) { throw new CryptographicException(exception.Message); }
            X509Certificate2Collection chain = [];
            chain.ImportFromPem(certificate);
            tls.ClientCertificateContext = SslStreamCertificateContext.Create(own, chain, offline: true);
        }
        return tls;
    }

    /// <summary>The innermost message that says something: "Connection refused" rather than "An error occurred while sending the request".</summary>
    public static string Reason(Exception exception) => exception switch
    {
        OperationCanceledException => "no answer in time",
        { InnerException: { } inner } => Reason(inner),
        _ => exception.Message,
    };

    // A watch is silent for hours; a host that vanished must not leave it so. No load for the server: the kernels speak.
    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken stop)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, stop).ConfigureAwait(false);
            // Not before: a name may have several addresses, and the framework changes sockets between them only while they are as it made them.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 5);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 2);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
