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

    /// <summary>True if a link of a router that has shown <paramref name="certificate"/> would be made now.</summary>
    public bool IsTrusted(X509Certificate2 certificate)
    {
        using X509Chain chain = new() { ChainPolicy = _certificates!.Policy() };
        return chain.Build(certificate);
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
        byte[] ownSecret = _options.Insecure ? [] : RandomNumberGenerator.GetBytes(RecordKey.SecretBytes), theirSecret = [];
        try
        {
            socket.NoDelay = true;
            X509Certificate2? theirs = null;
            using Timer deadline = new(_ => plain.Abort(), null, MostMilliseconds, Timeout.Infinite);
            using Stream stream = _options.Insecure ? new ChannelStream(plain, isTls: false) : new SslStream(new ChannelStream(plain, isTls: true));
            if (stream is SslStream tls) theirs = Authenticate(tls, called);
            problem = "";
            if (called is not null)
            {
                if (!claims.TryCall(called.Value)) return Refuse(plain);
                claimed = called;
                SendHello(stream, ownSecret);
            }
            problem = HearHello(stream, socket, called, theirs, out host, out theirSecret);
            if (problem.Length == 0)
            {
                if (called is null)
                {
                    if (!claims.TryAccept(host)) return Refuse(plain);
                    claimed = host;
                    SendHello(stream, ownSecret);
                }
                if (_options.Insecure) return plain;
                bool calls = called is not null;
                byte[] caller = calls ? ownSecret : theirSecret, answerer = calls ? theirSecret : ownSecret;
                return new SealedChannel(plain, new(RecordKey.Secret(caller, answerer, callerSeals: calls)), new(RecordKey.Secret(caller, answerer, callerSeals: !calls))) { Certificate = theirs };
            }
        }
        catch (Exception exception)
        {
            // Whatever it is: strangers must not choose what ends this router, and a certificate that cannot be read is a CryptographicException in some places and another one in others.
            problem = exception.InnerException?.Message ?? exception.Message;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(ownSecret);
            CryptographicOperations.ZeroMemory(theirSecret);
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
        RouterCertificates certificates = _certificates!;
        X509ChainPolicy policy = certificates.Policy();
        // Names are compared after Hello has said which one is meant.
        RemoteCertificateValidationCallback isTrusted = (_, _, _, errors) => (errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == 0;
        if (called is null)
        {
            stream.AuthenticateAsServer(new SslServerAuthenticationOptions
            {
                ServerCertificateContext = certificates.Context, ClientCertificateRequired = true, CertificateChainPolicy = policy, RemoteCertificateValidationCallback = isTrusted,
                EnabledSslProtocols = SslProtocols.Tls13, CipherSuitesPolicy = s_suites, AllowTlsResume = false,
            });
        }
        else
        {
            stream.AuthenticateAsClient(new SslClientAuthenticationOptions
            {
                TargetHost = called.Value.ToString(), ClientCertificateContext = certificates.Context, CertificateChainPolicy = policy, RemoteCertificateValidationCallback = isTrusted,
                EnabledSslProtocols = SslProtocols.Tls13, CipherSuitesPolicy = s_suites, AllowTlsResume = false,
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
        CryptographicOperations.ZeroMemory(frame);
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
        if (_options.Insecure ? hello.Host != AddressOf(socket) : theirs is null || !RouterCertificates.Names(theirs, hello.Host))
        {
            return _options.Insecure ? $"it says that it is {hello.Host}, but it is at {AddressOf(socket)}" : $"it says that it is {hello.Host}, which its certificate does not";
        }
        if (!_options.Insecure && hello.Secret.IsEmpty) return "its Hello has no secret: it takes this link for an insecure one";
        host = hello.Host;
        secret = hello.Secret.ToArray();
        CryptographicOperations.ZeroMemory(message);
        return "";
    }

    /// <summary>Where the other end of a socket is.</summary>
    public static InternetAddress AddressOf(Socket socket) =>
        socket.RemoteEndPoint is IPEndPoint endpoint ? InternetAddress.FromIPv6(endpoint.Address.MapToIPv6().GetAddressBytes()) : default;
}
