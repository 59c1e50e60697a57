using System;
using System.Linq;
using FreeFlow.Hunter;
using FreeFlow.Hunter.Kubernetes;
using FreeFlow.Hunter.Sources;
using FreeFlow.Locations.Tests.Servers;
using NUnit.Framework;

namespace FreeFlow.Locations.Tests.Hunter;

/// <summary>What the hunter reads, and what it does not.</summary>
public sealed class SourceTests
{
    [Test]
    public void A_namespaces_own_addresses_are_read_and_its_networks_are_not()
    {
        const string FibTrie = """
            Main:
              +-- 0.0.0.0/0 3 0 5
                 +-- 10.1.2.0/24 2 0 2
                    |-- 10.1.2.0
                       /24 link UNICAST
                    |-- 10.1.2.3
                       /32 host LOCAL
                    |-- 10.1.2.255
                       /32 link BROADCAST
                 +-- 127.0.0.0/8 2 0 2
                    |-- 127.0.0.1
                       /32 host LOCAL
            Local:
                    |-- 10.1.2.3
                       /32 host LOCAL
            """;
        const string IfInet6 = """
            00000000000000000000000000000001 01 80 10 80       lo
            fe800000000000000042acfffe110002 1a 40 20 80     eth0
            fd000000000000000000000000000003 1a 40 00 80     eth0
            """;
        Assert.That(NamespaceAddresses.Parse(FibTrie, IfInet6).Select(address => address.ToString()), Is.EquivalentTo(new[] { "10.1.2.3", "fd00::3" }));
    }

    [Test]
    public void A_kubeconfig_with_certificates_is_read_from_data_and_from_files()
    {
        using TestFolder folder = new();
        folder.Write("key.pem", "the key");
        KubernetesAccess access = KubeConfig.Read(folder.Write("config", $$"""
            current-context: here
            contexts:
            - {name: here, context: {cluster: c, user: u} }
            clusters:
            - name: c
              cluster:
                server: https://api.example:6443
                certificate-authority-data: {{EtcdHand.Base64("the authority")}}
            users:
            - name: u
              user:
                client-certificate-data: {{EtcdHand.Base64("the certificate")}}
                client-key: key.pem
            """));
        Assert.That((access.Server.ToString(), access.Authorities, access.Certificate, access.Key, access.Token), Is.EqualTo(("https://api.example:6443/", "the authority", "the certificate", "the key", (string?)null)));
    }

    [TestCase("", "it is empty")]
    [TestCase("a: 1", "it has no current-context")]
    [TestCase("current-context: x", "there is no context 'x' in it")]
    [TestCase("current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: 'https://a'}}]\nusers: [{name: u, user: {exec: {command: aws}}}]", "gets credentials from a program")]
    [TestCase("a: [", "")]
    [TestCase("a: &x 1\nb: *x", "aliases are not supported")]
    public void A_kubeconfig_that_cannot_be_used_is_refused_in_one_line(string text, string message)
    {
        using TestFolder folder = new();
        string path = folder.Write("config", text);
        Assert.That(() => KubeConfig.Read(path), Throws.InstanceOf<HunterException>().With.Message.Contains(message).And.Message.StartsWith(path));
    }

    [Test]
    public void A_pods_service_account_is_read()
    {
        using TestFolder folder = new();
        folder.Write("ca.crt", "the authority");
        KubernetesAccess access = KubernetesAccess.InCluster("fd00::1", "6443", folder.Path);
        Assert.That((access.Server.ToString(), access.Authorities, access.TokenFile), Is.EqualTo(("https://[fd00::1]:6443/", "the authority", folder.File("token"))));
    }

    [Test]
    public void Options_of_the_original_and_its_variable_are_understood()
    {
        HunterOptions options = HunterOptions.Parse(["-endpoints=a:1,b:2", "--cacert", "/ca", "-cert", "/cert", "-key", "/key", "-namespace", "blue", "-kubeconfig", "/config"], _ => null);
        Assert.That(options.Etcd.Endpoints.Select(uri => uri.ToString()), Is.EqualTo(new[] { "https://a:1/", "https://b:2/" }));
        Assert.That((options.Etcd.AuthorityFile, options.Etcd.CertificateFile, options.Etcd.KeyFile, options.Namespace, options.KubeConfig), Is.EqualTo(("/ca", "/cert", "/key", "blue", "/config")));
        Assert.That(options.Sources, Is.EqualTo(new[] { "kubernetes" }));
        options = HunterOptions.Parse([], name => name switch { "ETCD_ENDPOINTS" => "http://x:9", "HOST_IP" => "192.168.0.1", "ETCDCTL_USER" => "me:word:s", _ => null });
        Assert.That((options.Etcd.Endpoints[0].ToString(), options.HostAddress.ToString(), options.Etcd.User, options.Etcd.Password, options.Sources[0]), Is.EqualTo(("http://x:9/", "192.168.0.1", "me", "word:s", "netns")));
    }
}
