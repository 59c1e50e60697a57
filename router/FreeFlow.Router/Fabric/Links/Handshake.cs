using System;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading;
using FreeFlow.Router.Fabric.Wire;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Fabric.Links;

/// <summary>Makes a connected socket a channel between two routers that know who the other one is, or says why not. Blocking; thread-safe.</summary>
internal sealed class Handshake
{
    /// <summary>All that TLS 1.3 asks for (RFC 8446, appendix B.4), the one first that costs least where processors know AES.</summary>
    [SuppressMessage("Interoperability", "CA1416", Justification = "Only Windows knows no such policy.")]
    private static readonly CipherSuitesPolicy s_suites = new([TlsCipherSuite.TLS_AES_128_GCM_SHA256, TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256]);

    /// <summary>For all of it together: a stranger who says a byte now and then does not keep others out for long.</summary>
    private const int MostMilliseconds = 10_000;

    private readonly FabricOptions _options;
    private volatile RouterCertificates? _certificates;
    private readonly ulong _instance = (ulong)Random.Shared.NextInt64();

    /// <summary>Reads the certificates; throws <see cref="RouterException"/> with one line about what is wrong with them.</summary>
    public Handshake(FabricOptions options)
    {
        _options = options;
        ReadCertificates();
    }

    /// <summary>Reads the files again, for links that are made from now on; throws <see cref="RouterException"/> with one line about what is wrong, and then nothing has changed.</summary>
    public void ReadCertificates()
    {
        if (!_options.Insecure) _certificates = RouterCertificates.Read(_options);
    }

    /// <summary>
    /// The channel, and the proven address of the other host, claimed in <paramref name="claims"/>. Null, and one line why, if it is not to be trusted, or an empty one if there is another link to that host; the
    /// socket is then closed.
    /// </summary>
    public IByteChannel? TryShake(Socket socket, InternetAddress? called, LinkClaims claims, out InternetAddress host, out string problem)
    {
        host = default;
        InternetAddress? claimed = null;
        PlainChannel plain = new(socket);
        try
        {
            socket.NoDelay = true;
            X509Certificate2? theirs = null;
            using Timer deadline = new(_ => plain.Abort(), null, MostMilliseconds, Timeout.Infinite);
            using Stream stream = _options.Insecure ? new ChannelStream(plain, isTls: false) : new SslStream(new ChannelStream(plain, isTls: true));
            if (stream is SslStream tls) theirs = Authenticate(tls, called);
            byte[] ownSecret = _options.Insecure ? [] : RandomNumberGenerator.GetBytes(RecordKey.SecretBytes);
            problem = "";
            if (called is not null)
            {
                if (!claims.TryCall(called.Value)) return Refuse(plain);
                claimed = called;
                SendHello(stream, ownSecret);
            }
            problem = HearHello(stream, socket, called, theirs, out host, out byte[] theirSecret);
            if (problem.Length == 0)
            {
                if (called is null)
                {
                    if (!claims.TryAccept(host)) return Refuse(plain);
                    claimed = host;
                    SendHello(stream, ownSecret);
                }
                return _options.Insecure ? plain : new SealedChannel(plain, new(ownSecret), new(theirSecret));
            }
        }
        catch (Exception exception)
        {
            // Whatever it is: strangers must not choose what ends this router, and a certificate that cannot be read is a CryptographicException in some places and another one in others.
            problem = exception.InnerException?.Message ?? exception.Message;
        }
        if (claimed is not null) claims.End(claimed.Value, called is not null);
        return Refuse(plain);
    }

    private static PlainChannel? Refuse(PlainChannel channel)
    {
        channel.Dispose();
        return null;
    }

    /// <summary>Shows each side the other one's certificate, signed by an authority that it trusts; the other side's.</summary>
    private X509Certificate2? Authenticate(SslStream stream, InternetAddress? called)
    {
        // Nothing is fetched from where a stranger's certificate says.
        X509ChainPolicy policy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        RouterCertificates certificates = _certificates!;
        policy.CustomTrustStore.AddRange(certificates.Authorities);
        // Names are compared after Hello has said which one is meant.
        RemoteCertificateValidationCallback isTrusted = (_, _, _, errors) => (errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == 0;
        SslStreamCertificateContext own = SslStreamCertificateContext.Create(certificates.Own, null, offline: true);
        if (called is null)
        {
            stream.AuthenticateAsServer(new SslServerAuthenticationOptions
            {
                ServerCertificateContext = own, ClientCertificateRequired = true, CertificateChainPolicy = policy, RemoteCertificateValidationCallback = isTrusted,
                EnabledSslProtocols = SslProtocols.Tls13, CipherSuitesPolicy = s_suites,
            });
        }
        else
        {
            stream.AuthenticateAsClient(new SslClientAuthenticationOptions
            {
                TargetHost = called.Value.ToString(), ClientCertificateContext = own, CertificateChainPolicy = policy, RemoteCertificateValidationCallback = isTrusted,
                EnabledSslProtocols = SslProtocols.Tls13, CipherSuitesPolicy = s_suites,
            });
        }
        return stream.RemoteCertificate as X509Certificate2;
    }

    private void SendHello(Stream stream, byte[] secret)
    {
        Span<byte> frame = stackalloc byte[FrameHeader.Bytes + (int)FrameHeader.MaximumMessageBytes];
        int length = new FabricHello { Version = FrameHeader.Version, Host = _options.Host, Instance = _instance, Secret = secret }.Write(frame[FrameHeader.Bytes..]);
        MemoryMarshal.Write(frame, new FrameHeader { Type = FrameType.Hello, Length = (uint)length });
        stream.Write(frame[..(FrameHeader.Bytes + length)]);
    }

    /// <summary>Reads the other side's Hello; what is wrong with it, or nothing.</summary>
    private string HearHello(Stream stream, Socket socket, InternetAddress? called, X509Certificate2? theirs, out InternetAddress host, out byte[] secret)
    {
        host = default;
        secret = [];
        Span<byte> head = stackalloc byte[FrameHeader.Bytes];
        if (stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length) return "no Hello came";
        FrameHeader header = MemoryMarshal.Read<FrameHeader>(head);
        if (!header.IsPossible || header.Type != FrameType.Hello) return $"malformed frame instead of Hello: type {(int)header.Type}, {header.Length} bytes";
        Span<byte> message = stackalloc byte[(int)header.Length];
        if (stream.ReadAtLeast(message, message.Length, throwOnEndOfStream: false) < message.Length || !FabricHello.TryRead(message, out FabricHello hello)) return "malformed Hello";
        if (hello.Version != FrameHeader.Version) return $"it speaks version {hello.Version} of the fabric's frames, this router {FrameHeader.Version}";
        if (hello.Instance == _instance) return "it is this router itself: its address is this host's";
        if (called is not null && hello.Host != called) return $"it says that it is {hello.Host}, not {called}";
        if (_options.Insecure ? hello.Host != AddressOf(socket) : theirs is null || !theirs.MatchesHostname(hello.Host.ToString()))
        {
            return _options.Insecure ? $"it says that it is {hello.Host}, but it is at {AddressOf(socket)}" : $"it says that it is {hello.Host}, which its certificate does not";
        }
        if (!_options.Insecure && hello.Secret.IsEmpty) return "its Hello has no secret: it takes this link for an insecure one";
        host = hello.Host;
        secret = hello.Secret.ToArray();
        return "";
    }

    /// <summary>Where the other end of a socket is.</summary>
    public static InternetAddress AddressOf(Socket socket) =>
        socket.RemoteEndPoint is IPEndPoint endpoint ? InternetAddress.FromIPv6(endpoint.Address.MapToIPv6().GetAddressBytes()) : default;
}
