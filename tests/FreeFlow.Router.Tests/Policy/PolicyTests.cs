using System;
using System.Collections;
using System.IO;
using System.Linq;
using System.Threading;
using FreeFlow.Locations;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Policy;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Policy;

/// <summary>Rules, rates, and the file that they are read from.</summary>
public sealed class PolicyTests
{
    [TestCase("10.0.9.5", "10.0.1.1", "backups", TestName = "The first rule that covers it")]
    [TestCase("10.0.1.1", "10.0.9.5", "backups", TestName = "Whoever opened it")]
    [TestCase("10.0.1.1", "10.0.2.9", "web", TestName = "The second rule")]
    [TestCase("10.0.1.1", "10.0.3.1", "default", TestName = "No rule")]
    public void TheFirstRuleThatCoversDecides(string local, string remote, string expected)
    {
        PolicyFile file = PolicyFile.Parse("""
            # two rules
            rule backups from 10.0.9.0/24 to any over kernel   # none
            rule web from 10.0.1.0/24 to 10.0.2.0/24 over shm,fabric
            """);
        Assert.That(file.Rules.Find(rule => rule.Covers((Read(local), null), (Read(remote), null)) == Match.Yes)?.Name ?? "default", Is.EqualTo(expected));
        Assert.That(file.Rules.Select(rule => rule.Over), Is.EqualTo(new[] { Transports.Kernel, Transports.SharedMemory | Transports.Fabric }));
    }

    [TestCase("", "the file is empty: to allow everything write a comment")]
    [TestCase("\nallow everything", "line 2: 'allow' is neither rule nor rate nor capacity")]
    [TestCase("rule a from any to any", "line 1: write: rule NAME")]
    [TestCase("rule a from 10.0.0.0/33 to any over shm", "line 1: 10.0.0.0/33 is no network")]
    [TestCase("rule a from any to any over smh", "line 1: 'smh' is none of shm, rdma, fabric, kernel")]
    [TestCase("rule a from any to any over shm\nrule a from any to any over shm", "line 2: there is a rule a already")]
    [TestCase("rate 10.0.0.1", "line 1: write: rate ADDRESS")]
    [TestCase("rate 10.0.0.1 max=fast", "line 1: 'max=fast' is none of")]
    [TestCase("rate 10.0.0.1 burst=4096", "line 1: a rate needs max=MBIT or min=MBIT")]
    [TestCase("rate 10.0.0.1 min=5 burst=4096", "line 1: a burst needs max=MBIT")]
    [TestCase("rate 10.0.0.1 min=5 max=4", "line 1: min is more than max")]
    [TestCase("rate 10.0.0.1 min=0", "line 1: 'min=0' is none of")]
    [TestCase("capacity", "line 1: write: capacity MBIT")]
    [TestCase("capacity 5\ncapacity 5", "line 2: there is a capacity already")]
    [TestCase("rate 10.0.0.1 max=1\nrate 10.0.0.1 max=2", "line 2: there is a rate for 10.0.0.1 already")]
    public void MistakesAreSaidWithTheirLine(string text, string message) =>
        Assert.That(() => PolicyFile.Parse(text), Throws.TypeOf<FormatException>().With.Message.StartsWith(message));

    [Test]
    public void AWrongFileChangesNothingAndARightOneDoes()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "rule one from any to any over kernel");
            using PolicyTable table = new(path, new Hashtable(), new Log(false));
            FourTuple addresses = new(Endpoint("10.0.0.1"), Endpoint("10.0.0.2"));
            Assert.That(table.Decide(addresses, Transports.All).Rule.Name, Is.EqualTo("one"));
            // In place, as many an editor does: empty for as long as it likes, and then wrong.
            File.WriteAllText(path, "");
            Thread.Sleep(200);
            Assert.That(table.Decide(addresses, Transports.All).Rule.Name, Is.EqualTo("one"));
            File.WriteAllText(path, "rule two from any to");
            Thread.Sleep(200);
            Assert.That(table.Decide(addresses, Transports.All).Rule.Name, Is.EqualTo("one"));
            File.WriteAllText(path, "rule two from any to any over shm");
            Fabric.FakeEnd.Eventually(() => table.Decide(addresses, Transports.All).Rule.Name == "two", "the new rule holds");
            Assert.That(table.Rules.Select(rule => rule.Name), Is.EqualTo(new[] { "two", "default" }));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void AMissingFileOrAWrongVariableIsSaidAtTheStart()
    {
        Assert.That(() => new PolicyTable("/nonexistent/policy", new Hashtable(), new Log(false)), Throws.TypeOf<RouterException>().With.Message.StartsWith("--policy /nonexistent/policy"));
        Assert.That(() => new PolicyTable(null, new Hashtable { ["RATE_LIMIT_3"] = "1M" }, new Log(false)), Throws.TypeOf<RouterException>().With.Message.StartsWith("RATE_LIMIT_3=1M"));
    }

    [Test]
    public void ABucketNeverGivesMoreThanItsBurstAndItsRate()
    {
        const long bits = 8_000_000, burst = 20_000;
        RateLimit limit = new(bits, burst);
        long start = Environment.TickCount64;
        ulong taken = 0;
        for (int i = 0; i < 200; i++)
        {
            ulong piece = limit.Take(9000, out int pause);
            if (piece == 0) Thread.Sleep(pause);
            else if (i % 7 == 0) limit.GiveBack(piece);
            else taken += piece;
        }
        // One way only: a busy machine makes it slower, never faster. The clock here has a grain of some milliseconds.
        Assert.That(taken, Is.LessThanOrEqualTo(burst + ((Environment.TickCount64 - start + 20) * bits / 8000)));
        Assert.That(taken, Is.GreaterThan((ulong)burst));
    }

    private static Address Read(string text) => Address.TryParse(text, out Address address) ? address : throw new FormatException(text);

    private static InternetEndpoint Endpoint(string address) => new(InternetAddress.FromIPv4(System.Net.IPAddress.Parse(address).GetAddressBytes()), 1);
}
