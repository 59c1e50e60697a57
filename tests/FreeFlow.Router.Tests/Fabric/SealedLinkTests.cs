using System;
using System.IO;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Router.Fabric;
using FreeFlow.Router.Fabric.Links;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Fabric.Wire;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Fabric;

/// <summary>Links with certificates, with somebody on the wire between the routers, and routers whose Hello does not fit.</summary>
[NonParallelizable]
public sealed unsafe class SealedLinkTests
{
    private const string FirstHost = "127.0.5.21", SecondHost = "127.0.5.22";
    private const int Port = 4799, WirePort = 4798;

    private static readonly byte[] Mark = new byte[RingLayout.ReturnMarkBytes];

    private Certificates _certificates = null!;
    private RecordedEvents _first = null!, _second = null!;

    [SetUp]
    public void SetUp() => (_certificates, _first, _second) = (new(), new(), new());

    [TearDown]
    public void TearDown() => _certificates.Dispose();

    [TestCase("nothing")]
    [TestCase("flip")]
    [TestCase("repeat")]
    [TestCase("insert")]
    public void WhoeverTouchesARecordEndsTheLinkAndNothingElse(string what)
    {
        using TcpFabric first = TestRouter.Start(_certificates.Options(FirstHost, Port), _first), second = TestRouter.Start(_certificates.Options(SecondHost, Port), _second);
        using Wire wire = new();
        Assert.That(first.LinkTo(TestRouter.Address(SecondHost), WirePort), Is.Null);
        (IFabricLink one, IFabricLink other) = (_first.Link, _second.Link);
        using FakeEnd sender = new(Mark, Mark), reader = new(Mark, Mark);
        Assert.That(other.Carry(new FabricStream(1, 1, reader.Router, speaksFirst: false, "reader")), Is.True);
        Assert.That(one.Carry(new FabricStream(1, 1, sender.Router, speaksFirst: true, "sender")), Is.True);
        reader.AnnounceReady();
        sender.Switch(0);
        sender.Write("a secret that nobody on the wire sees"u8);
        FakeEnd.Eventually(() => reader.In->Tail == 37, "the first words arrive");
        Assert.That(wire.Seen("nobody on the wire"), Is.False);
        wire.Next = what;
        sender.Write("more"u8);
        if (what == "nothing")
        {
            FakeEnd.Eventually(() => reader.In->Tail == 41, "the next ones, too");
            return;
        }
        FakeEnd.Eventually(() => !_second.Losses.IsEmpty, "the link ends");
        Assert.That(_second.Losses, Is.EqualTo(new[] { "a record came that it has not sealed, or not in this place" }));
        FakeEnd.Eventually(() => reader.IsBellClosed, "the program goes back to the kernel");
        // A record that was repeated, or comes behind one that was put in, is not the first word of this stream any more.
        Assert.That(reader.In->Tail, Is.EqualTo(what == "repeat" ? 41 : 37));
    }

    [TestCase(4u, RecordKey.SecretBytes, "it speaks version 4 of the fabric's frames")]
    [TestCase(FrameHeader.Version, 0, "its Hello has no secret")]
    [TestCase(FrameHeader.Version, 31, "malformed Hello")]
    public void ARouterWhoseHelloDoesNotFitIsTurnedAway(uint version, int secret, string why)
    {
        FabricOptions own = _certificates.Options(SecondHost, Port);
        using X509Certificate2 certificate = X509Certificate2.CreateFromPemFile(own.CertificatePath!, own.KeyPath);
        Assert.That(WhatIsSaidOf(certificate, TestRouter.Hello(SecondHost, version, new byte[secret])), Does.Contain(why));
    }

    /// <summary>Many an authority lets applicants choose their common name.</summary>
    [Test]
    public void ACommonNameIsNotTheHosts()
    {
        FabricOptions options = _certificates.Options(SecondHost, Port, commonName: SecondHost);
        using X509Certificate2 certificate = X509Certificate2.CreateFromPemFile(options.CertificatePath!, options.KeyPath);
        Assert.That(WhatIsSaidOf(certificate, TestRouter.Hello(SecondHost, secret: new byte[RecordKey.SecretBytes])), Is.EqualTo($"it says that it is {SecondHost}, which its certificate does not"));
        Assert.That(() => new Handshake(options), Throws.TypeOf<RouterException>().With.Message.Contains("does not name 127.0.5.22"));
    }

    [Test]
    public void ALinkEndsWithTheAuthorityThatItWasMadeBy()
    {
        FabricOptions options = _certificates.Options(FirstHost, Port);
        using TcpFabric first = TestRouter.Start(options, _first), second = TestRouter.Start(_certificates.Options(SecondHost, Port), _second);
        Assert.That(first.LinkTo(TestRouter.Address(SecondHost), Port), Is.Null);
        Assert.That(_first.Link.IsUp, Is.True);
        first.ReadCertificates();
        Assert.That(_first.Losses, Is.Empty, "nothing has changed");
        using Certificates others = new();
        File.Copy(others.Options(FirstHost, Port).AuthorityPath!, options.AuthorityPath!, overwrite: true);
        first.ReadCertificates();
        FakeEnd.Eventually(() => !_first.Losses.IsEmpty, "the link ends");
        Assert.That(_first.Losses, Is.EqualTo(new[] { "its certificate has expired, or is of no authority that is trusted now" }));
    }

    /// <summary>Whoever can call may show any certificate: extensions that are none end in exceptions of their own, deep in the verification.</summary>
    [TestCase("1.3.6.1.4.1.311.21.10", "0500", TestName = "Application policies that are none")]
    [TestCase("2.5.29.32", "0500", TestName = "Certificate policies that are none")]
    [TestCase("2.5.29.37", "0500", TestName = "Key usages that are none")]
    [TestCase("2.5.29.17", "0500", TestName = "Names that are none")]
    public void ACertificateThatCannotBeReadIsTurnedAway(string extension, string value)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=stranger", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509Extension(new Oid(extension), Convert.FromHexString(value), critical: false));
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
        Assert.That(WhatIsSaidOf(certificate, []), Is.Not.Empty);
    }

    /// <summary>Calls with a certificate and a first word; why it was turned away.</summary>
    private string WhatIsSaidOf(X509Certificate2 certificate, byte[] word)
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Parse(FirstHost), 0));
        listener.Listen();
        using TcpClient client = new(new IPEndPoint(IPAddress.Parse(SecondHost), 0));
        client.Connect((IPEndPoint)listener.LocalEndPoint!);
        using Socket accepted = listener.Accept();
        accepted.ReceiveTimeout = 10_000;
        Handshake handshake = new(_certificates.Options(FirstHost, Port));
        string problem = "";
        Thread shaking = new(() => Assert.That(handshake.TryShake(accepted, null, new LinkClaims(TestRouter.Address(FirstHost)), out _, out problem), Is.Null));
        shaking.Start();

        using SslStream stream = new(client.GetStream(), leaveInnerStreamOpen: true, (_, _, _, _) => true);
        try
        {
            stream.AuthenticateAsClient(FirstHost, [certificate], checkCertificateRevocation: false);
            stream.Write(word);
        }
        catch (Exception exception) when (exception is IOException or AuthenticationException) { /* Turned away already. */ }
        shaking.Join();
        return problem;
    }

    /// <summary>Somebody between the first router, which calls, and the second one, who sees and may change what the first one says.</summary>
    private sealed class Wire : IDisposable
    {
        private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        private readonly MemoryStream _seen = new();

        public Wire()
        {
            _listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            _listener.Bind(new IPEndPoint(IPAddress.Parse(SecondHost), WirePort));
            _listener.Listen();
            new Thread(Run) { IsBackground = true }.Start();
        }

        /// <summary>What is done to the next bytes, once.</summary>
        public volatile string? Next;

        public bool Seen(string text)
        {
            lock (_seen) return System.Text.Encoding.Latin1.GetString(_seen.ToArray()).Contains(text, StringComparison.Ordinal);
        }

        public void Dispose() => _listener.Dispose();

        private void Run()
        {
            try
            {
                using Socket near = _listener.Accept(), far = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                far.Bind(new IPEndPoint(IPAddress.Parse(FirstHost), 0));
                far.Connect(new IPEndPoint(IPAddress.Parse(SecondHost), Port));
                new Thread(() => Copy(far, near, bytes => bytes)) { IsBackground = true }.Start();
                Copy(near, far, Touch);
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException) { /* The test is over. */ }
        }

        private byte[] Touch(byte[] bytes)
        {
            lock (_seen) _seen.Write(bytes);
            string? what = Next;
            Next = null;
            switch (what)
            {
                case "flip": bytes[^1] ^= 1; return bytes;
                case "repeat": return [.. bytes, .. bytes];
                case "insert": return [1, 0, 0, 0, .. new byte[17], .. bytes];
                default: return bytes;
            }
        }

        private static void Copy(Socket from, Socket to, Func<byte[], byte[]> change)
        {
            byte[] buffer = new byte[65536];
            try
            {
                while (from.Receive(buffer) is > 0 and int received) to.Send(change(buffer[..received]));
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException) { /* One of them has gone. */ }
        }
    }
}
