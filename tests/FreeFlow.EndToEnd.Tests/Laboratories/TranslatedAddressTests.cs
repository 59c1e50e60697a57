using System.Globalization;
using System.Linq;
using FreeFlow.Lab;
using FreeFlow.Lab.Hosts;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Laboratories;

/// <summary>Connections to a service address that the host translates, as kube-proxy has it done by iptables or nft: paired by what the kernel's connection tracking says.</summary>
[TestFixture]
public sealed class TranslatedAddressTests
{
    private const long Some = 100_000;
    private const string Service4 = "10.96.0.1", Service6 = "fd96::1", Gateway6 = "fd77::fe";

    /// <summary>What kube-proxy's nftables mode makes, as far as it concerns a service with one endpoint; $1: ip or ip6, $2: the type of its addresses.</summary>
    private const string KubeProxy = """
        nft -f - <<END
        table $1 kube-proxy {
          map service-ips { type $2 . inet_proto . inet_service : verdict; }
          chain services { $1 daddr . meta l4proto . th dport vmap @service-ips; }
          chain nat-prerouting { type nat hook prerouting priority -100; jump services; }
          chain nat-output { type nat hook output priority -100; jump services; }
        }
        END
        """;
    private const int ServicePort = 8000;

    private Laboratory _lab = null!;
    private int _services = ServicePort;

    [OneTimeSetUp]
    public void Up()
    {
        Tools.Require("iptables", "ip6tables", "nft");
        _lab = Laboratory.Start(LabDescription.Create(hosts: 2, containers: 2, etcd: false));
        if (_lab.Hosts[0].Run(new CommandLine("sh", "-c", "iptables -t nat -L && ls /proc/sys/net/bridge/bridge-nf-call-iptables")).ExitCode != 0) Assert.Ignore("this kernel translates no addresses (nat), or not those that a bridge carries (br_netfilter)");
        // What Kubernetes asks of a node: that it forwards, and that iptables sees what a bridge carries.
        OnHost("echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables");
        OnHost("iptables -t nat -N KUBE-SERVICES; iptables -t nat -A PREROUTING -j KUBE-SERVICES; iptables -t nat -A OUTPUT -j KUBE-SERVICES; iptables -t nat -N KUBE-POSTROUTING; iptables -t nat -A POSTROUTING -j KUBE-POSTROUTING");
        OnHost($"echo 1 >/proc/sys/net/ipv6/conf/all/forwarding; echo 1 >/proc/sys/net/bridge/bridge-nf-call-ip6tables; ip -6 address add {Gateway6}/64 dev containers nodad");
        OnHost("ip6tables -t nat -N KUBE-SERVICES; ip6tables -t nat -A PREROUTING -j KUBE-SERVICES; ip6tables -t nat -A OUTPUT -j KUBE-SERVICES");
        OnHost($"set -- ip ipv4_addr\n{KubeProxy}");
        OnHost($"set -- ip6 ipv6_addr\n{KubeProxy}");
        _lab.Hosts[0].Containers[0].Run(new CommandLine("ip", "-6", "route", "add", "default", "via", Gateway6)).Succeeded("ip route");
    }

    [OneTimeTearDown]
    public void Down() => _lab?.Dispose();

    /// <summary>Without the question to the connection tracking they are two connections that nobody can pair.</summary>
    [TestCase("one host", "iptables", 4)]
    [TestCase("two hosts", "iptables", 4)]
    [TestCase("one host", "iptables", 6)]
    [TestCase("two hosts", "iptables", 6)]
    [TestCase("one host", "nft", 4)]
    [TestCase("two hosts", "nft", 4)]
    [TestCase("two hosts", "nft", 6)]
    public void EndsBehindAServiceAddressArePaired(string where, string how, int version)
    {
        using Stage stage = new(_lab, Mixture.Both);
        LabPlace server = where == "one host" ? _lab.Hosts[0].Containers[1] : _lab.Hosts[1].Containers[0];
        int service = ++_services;
        using LastingRun run = Start(stage, server, service, how, version);
        run.WaitForRingBytes(_lab, (0, 0), Some, where);
        run.Finish();
    }

    [Test]
    public void AMasqueradedClientStaysInTheKernelAndSaysWhy()
    {
        using Stage stage = new(_lab, Mixture.Both);
        int service = ++_services;
        using LastingRun run = Start(stage, _lab.Hosts[1].Containers[0], service, "iptables", 4, masquerade: true);
        run.WaitForKernelBytes(_lab.Hosts[0], Some);
        Assert.That(run.Connections(_lab.Hosts[0].Status()).Single().Reason, Does.Contain("translates its own address"));
        run.Finish();
    }

    /// <summary>Makes the service, then connects to it.</summary>
    private LastingRun Start(Stage stage, LabPlace server, int service, string how, int version, bool masquerade = false) => new(stage, "questions", version == 4 ? Service4 : Service6, server, service, port =>
    {
        string address = version == 4 ? server.Address4 : $"[{server.Address6}]", command = version == 4 ? "iptables" : "ip6tables", family = version == 4 ? "ip" : "ip6";
        string target = string.Create(CultureInfo.InvariantCulture, $"{address}:{port}");
        if (how == "iptables") OnHost($"{command} -t nat -A KUBE-SERVICES -d {(version == 4 ? Service4 : Service6)} -p tcp --dport {service} -j DNAT --to-destination {target}");
        else
        {
            OnHost($$"""
                nft -f - <<END
                add chain {{family}} kube-proxy endpoint-{{service}}
                add rule {{family}} kube-proxy endpoint-{{service}} meta l4proto tcp dnat to {{target}}
                add chain {{family}} kube-proxy service-{{service}}
                add rule {{family}} kube-proxy service-{{service}} numgen random mod 1 vmap { 0 : goto endpoint-{{service}} }
                add element {{family}} kube-proxy service-ips { {{(version == 4 ? Service4 : Service6)}} . tcp . {{service}} : goto service-{{service}} }
                END
                """);
        }
        if (masquerade) OnHost($"iptables -t nat -A KUBE-POSTROUTING -d {server.Address4} -p tcp --dport {port} -j MASQUERADE");
    });

    private void OnHost(string script) => _lab.Hosts[0].Run(new CommandLine("sh", "-ec", script)).Succeeded(script);
}
