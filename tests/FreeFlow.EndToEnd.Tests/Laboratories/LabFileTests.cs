using System.IO;
using System.Linq;
using FreeFlow.Lab;
using FreeFlow.Lab.Hosts;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Laboratories;

/// <summary>The laboratory's YAML.</summary>
[TestFixture]
public sealed class LabFileTests
{
    [Test]
    public void TheShippedExampleIsTheRegularLaboratory()
    {
        LabDescription read = LabFile.Read(Path.Combine(Artifacts.Root, "integration/lab/two-hosts.yaml"));
        Assert.That(LabFile.Write(read), Is.EqualTo(LabFile.Write(LabDescription.Create(2, 2))));
        LabDescription clear = LabFile.Read(Path.Combine(Artifacts.Root, "integration/lab/two-hosts-clear.yaml"));
        Assert.That(LabFile.Write(clear), Is.EqualTo(LabFile.Write(read with { Certificates = false })));
    }

    [Test]
    public void EverythingMayBeSaidAndSurvivesWriting()
    {
        LabDescription lab = LabFile.Parse("""
            underlay: {network: 172.20.0.0/24, mtu: 9000}
            overlay: {network: 10.9.0.0/16, id: 5}
            etcd: false
            certificates: false
            router: [--ring-bytes, "65536"]
            hosts:
              left:
                address: 172.20.0.11
                daemons: []
                link: {rate: 1gbit, delay: 2ms}
                containers:
                  web: {address: 10.9.200.1, address6: fd77::99}
                  db:
              right: {containers: [web]}
            """);
        Assert.That(lab.Hosts[0].Containers.Select(container => $"{container.Name} {container.Address4} {container.Address6}"), Is.EqualTo(new[] { "web 10.9.200.1 fd77::99", "db 10.9.1.2 fd77::1:2" }));
        Assert.That(lab.Hosts[0].Link.ToString(), Is.EqualTo("rate=1gbit,delay=2ms"));
        Assert.That(lab.Hosts[0].Daemons, Is.Empty);
        Assert.That(lab.Hosts[1].Daemons, Is.EqualTo(new[] { "router" }), "a host without etcd has no hunter");
        Assert.That(lab.Hosts[1].Address, Is.EqualTo("172.20.0.2"));
        Assert.That((lab.Etcd, lab.Certificates), Is.EqualTo((false, false)));
        Assert.That(lab.RouterArguments, Is.EqualTo(new[] { "--ring-bytes", "65536" }));
        Assert.That(LabFile.Write(LabFile.Parse(LabFile.Write(lab))), Is.EqualTo(LabFile.Write(lab)));
    }

    [TestCase("hosts: {}", "at least one host")]
    [TestCase("hosts: {h1: }\nhost: 3", "no field 'host'")]
    [TestCase("hosts: {h1: {containers: {a: {adress: 10.77.1.1}}}}", "no field 'adress'")]
    [TestCase("hosts: {h1: {containers: {a: {address: 10.78.1.1}}}}", "no address in 10.77.0.0/16")]
    [TestCase("hosts: {h1: {address: 192.168.77.2}, h2: }", "192.168.77.2 is given twice")]
    [TestCase("hosts: {etcd: }", "'etcd' is no name")]
    [TestCase("hosts: {\"a/../b\": }", "is no name")]
    [TestCase("hosts: {h1: {link: {rate: \"1 && reboot\"}}}", "rate '1 && reboot': give a number above 0 with bit, kbit, mbit or gbit")]
    [TestCase("hosts: {h1: {link: {rate: fast}}}", "rate 'fast'")]
    [TestCase("hosts: {h1: {link: {rate: 0gbit}}}", "rate '0gbit'")]
    [TestCase("hosts: {h1: {link: {rate: 1gbits}}}", "rate '1gbits'")]
    [TestCase("hosts: {h1: {link: {delay: 2}}}", "delay '2': give a number above 0 with us, ms or s")]
    [TestCase("hosts: {h1: {daemons: [ruter]}}", "no daemon 'ruter'")]
    [TestCase("etcd: false\nhosts: {h1: {daemons: [hunter]}}", "needs etcd")]
    [TestCase("overlay: {network: 10.0.0.0/8}\nhosts: {h1: }", "no IPv4 network with /16")]
    [TestCase("hosts: [", "")]
    public void MistakesAreSaid(string text, string message)
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, text);
            Assert.That(() => LabFile.Read(file), Throws.TypeOf<LabException>().With.Message.Contains(message).And.Message.StartsWith(file));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
