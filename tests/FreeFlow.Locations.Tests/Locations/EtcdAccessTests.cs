using System;
using System.IO;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Locations.Etcd;
using FreeFlow.Locations.Tests.Servers;
using NUnit.Framework;

namespace FreeFlow.Locations.Tests.Locations;

/// <summary>TLS with client certificates, users with passwords, and what is wrong with them.</summary>
public sealed class EtcdAccessTests
{
    private const string A = LocationKeys.AddressPrefix;

    [Test]
    public async Task With_a_certificate_of_the_authority_etcd_is_read_and_without_it_is_not()
    {
        using Certificates certificates = new();
        (string certificate, string key) = certificates.Issue("server");
        (string ownCertificate, string ownKey) = certificates.Issue("router");
        using EtcdServer server = new(["--cert-file", certificate, "--key-file", key, "--client-cert-auth", "--trusted-ca-file", certificates.AuthorityFile]);
        EtcdOptions good = server.Options() with { AuthorityFile = certificates.AuthorityFile, CertificateFile = ownCertificate, KeyFile = ownKey };
        server.Start();
        server.WaitReady(good);
        await Check(good);
        Assert.That(Refusal(good with { CertificateFile = null, KeyFile = null }), Is.Not.Empty);

        using Certificates others = new();
        (string strange, string strangeKey) = others.Issue("router");
        Assert.That(Refusal(good with { CertificateFile = strange, KeyFile = strangeKey }), Is.Not.Empty, "a certificate of another authority");
        Assert.That(Refusal(good with { AuthorityFile = others.AuthorityFile }), Does.Contain("certificate"), "a server of another authority");
        Assert.That(Refusal(good with { AuthorityFile = null }), Does.Contain("certificate"), "a server that the system does not know");
        Assert.That(() => new EtcdClient(good with { AuthorityFile = "/nowhere/ca.pem" }), Throws.InstanceOf<IOException>());
    }

    [Test]
    public async Task With_user_and_password_etcd_is_read_and_a_token_that_has_ended_is_renewed()
    {
        using EtcdServer server = EtcdServer.Run();
        using EtcdHand root = new(server.Options() with { User = "root", Password = "secret" });
        root.Call("v3/auth/user/add", """{"name":"root","password":"secret"}""");
        root.Call("v3/auth/role/add", """{"name":"root"}""");
        root.Call("v3/auth/user/grant", """{"user":"root","role":"root"}""");
        root.Call("v3/auth/user/add", """{"name":"router","password":"word"}""");
        root.Call("v3/auth/role/add", """{"name":"reader"}""");
        foreach (string prefix in (string[])[LocationKeys.AddressPrefix, LocationKeys.NodePrefix, LocationKeys.RouterPrefix])
        {
            string end = prefix[..^1] + '0';
            root.Call("v3/auth/role/grant", $$$"""{"name":"reader","perm":{"permType":"READWRITE","key":"{{{EtcdHand.Base64(prefix)}}}","range_end":"{{{EtcdHand.Base64(end)}}}"}}""");
        }
        root.Call("v3/auth/user/grant", """{"user":"router","role":"reader"}""");
        root.Call("v3/auth/enable", "{}");

        EtcdOptions good = server.Options() with { User = "router", Password = "word" };
        await Check(good);
        Assert.That(Refusal(good with { Password = "wrong" }), Does.Contain("invalid user ID or password"));
        Assert.That(Refusal(good with { User = null }), Does.Contain("user"));

        using EtcdHand hand = new(good);
        hand.Put(A + "10.0.0.8", "192.168.0.1");
        using EtcdClient client = new(good);
        await client.RangeAsync(AnyAddress, CancellationToken.None);
        // Ends all tokens. (A restart does not: etcd makes them again from its log.)
        string token = JsonDocument.Parse(root.Call("v3/auth/authenticate", """{"name":"root","password":"secret"}""")).RootElement.GetProperty("token").GetString()!;
        root.Call("v3/auth/disable", "{}", token);
        root.Call("v3/auth/enable", "{}");
        hand.Put(A + "10.0.0.8", "192.168.0.2");
        Assert.That(hand.Get(A + "10.0.0.8"), Is.EqualTo("192.168.0.2"));
        Assert.That(await client.RangeByGrpcAsync(AnyAddress, CancellationToken.None), Is.Null, "gRPC does not renew it");
        await client.RangeAsync(AnyAddress, CancellationToken.None);
        Assert.That((await client.RangeByGrpcAsync(AnyAddress, CancellationToken.None))?.kvs, Has.Length.EqualTo(1), "but has the new one");
    }

    private static RangeRequest AnyAddress => new() { key = KeyRange.Prefix(A).Key, range_end = KeyRange.Prefix(A).End, limit = 1 };

    private static async Task Check(EtcdOptions options)
    {
        Lines log = new();
        using EtcdHand hand = new(options);
        using EtcdClient client = new(options);
        await using EtcdLocations locations = new(client, log.Add);
        locations.Start();
        Eventually.True(() => locations.View.State == LocationState.Current, "the view is current", () => log.ToString());
        hand.Put(A + "10.0.0.7", "192.168.0.7");
        Eventually.True(() => locations.View.Addresses == 1, "the change is seen");
        Assert.That((await client.RangeByGrpcAsync(AnyAddress, CancellationToken.None))?.kvs, Has.Length.EqualTo(1), "long lists come by gRPC");
    }

    private static string Refusal(EtcdOptions options)
    {
        using EtcdClient client = new(options);
        return Assert.Throws<EtcdException>(() => client.RangeAsync(new() { key = "a"u8.ToArray() }, CancellationToken.None).GetAwaiter().GetResult())!.Message;
    }
}
