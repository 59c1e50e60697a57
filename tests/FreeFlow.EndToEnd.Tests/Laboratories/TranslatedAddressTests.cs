using System.Globalization;
using System.Linq;
using FreeFlow.Lab;
using FreeFlow.Lab.Hosts;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Laboratories;

/// <summary>Connections to a service address that the host translates, as kube-proxy has it done by iptables: paired by what the kernel's connection tracking says.</summary>
[TestFixture]
public sealed class TranslatedAddressTests
{
    private const long Some = 100_000;
    private const string Service = "10.96.0.1";
    private const int ServicePort = 8000;

    private Laboratory _lab = null!;
    private int _services = ServicePort;

    [OneTimeSetUp]
    public void Up()
    {
        Tools.Require("iptables");
        _lab = Laboratory.Start(LabDescription.Create(hosts: 2, containers: 2, etcd: false));
        if (_lab.Hosts[0].Run(new CommandLine("sh", "-c", "iptables -t nat -L && ls /proc/sys/net/bridge/bridge-nf-call-iptables")).ExitCode != 0) Assert.Ignore("this kernel translates no addresses (nat), or not those that a bridge carries (br_netfilter)");
        // What Kubernetes asks of a node: that it forwards, and that iptables sees what a bridge carries.
        OnHost("echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables");
        OnHost("iptables -t nat -N KUBE-SERVICES; iptables -t nat -A PREROUTING -j KUBE-SERVICES; iptables -t nat -A OUTPUT -j KUBE-SERVICES; iptables -t nat -N KUBE-POSTROUTING; iptables -t nat -A POSTROUTING -j KUBE-POSTROUTING");
    }

    [OneTimeTearDown]
    public void Down() => _lab?.Dispose();

    [TestCase("one host")]
    [TestCase("two hosts")]
    public void EndsBehindAServiceAddressArePaired(string where)
    {
        using Stage stage = new(_lab, Mixture.Both);
        LabPlace server = where == "one host" ? _lab.Hosts[0].Containers[1] : _lab.Hosts[1].Containers[0];
        int service = ++_services;
        using LastingRun run = Start(stage, server, service, masquerade: false);
        run.WaitForRingBytes(_lab, (0, 0), Some, where);
        run.Finish();
    }

    [Test]
    public void AMasqueradedClientStaysInTheKernelAndSaysWhy()
    {
        using Stage stage = new(_lab, Mixture.Both);
        int service = ++_services;
        using LastingRun run = Start(stage, _lab.Hosts[1].Containers[0], service, masquerade: true);
        run.WaitForKernelBytes(_lab.Hosts[0], Some);
        Assert.That(run.Connections(_lab.Hosts[0].Status()).Single().Reason, Does.Contain("translates its own address"));
        run.Finish();
    }

    /// <summary>Makes the service, then connects to it.</summary>
    private LastingRun Start(Stage stage, LabPlace server, int service, bool masquerade) => new(stage, "questions", Service, server, service, port =>
    {
        string target = string.Create(CultureInfo.InvariantCulture, $"{server.Address4}:{port}");
        OnHost($"iptables -t nat -A KUBE-SERVICES -d {Service}/32 -p tcp --dport {service} -j DNAT --to-destination {target}");
        if (masquerade) OnHost($"iptables -t nat -A KUBE-POSTROUTING -d {server.Address4} -p tcp --dport {port} -j MASQUERADE");
    });

    private void OnHost(string script) => _lab.Hosts[0].Run(new CommandLine("sh", "-ec", script)).Succeeded(script);
}
