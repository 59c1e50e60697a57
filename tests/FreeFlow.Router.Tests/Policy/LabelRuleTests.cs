using System;
using System.Collections;
using System.IO;
using System.Linq;
using FreeFlow.Locations;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Policy;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Policy;

/// <summary>Rules by namespace and label, with a file that says who has which address.</summary>
public sealed class LabelRuleTests
{
    private const string Locations = """
        10.0.0.1 192.168.0.1 namespace=web labels=app=front
        10.0.0.2 192.168.0.1 namespace=db labels=app=store
        10.0.0.3 192.168.0.1 namespace=web
        10.0.0.4 192.168.0.1
        """;

    private string _locationsPath = null!, _policyPath = null!;
    private FileLocations _locations = null!;

    [SetUp]
    public void SetUp()
    {
        (_locationsPath, _policyPath) = (Path.GetTempFileName(), Path.GetTempFileName());
        File.WriteAllText(_locationsPath, Locations);
        _locations = new(_locationsPath, _ => { });
        _locations.Start();
        Fabric.FakeEnd.Eventually(() => _locations.View.State == LocationState.Current, "the locations are read");
    }

    [TearDown]
    public void TearDown()
    {
        _locations.DisposeAsync().AsTask().Wait();
        File.Delete(_locationsPath);
        File.Delete(_policyPath);
    }

    [TestCase("rule a from namespace=web,app=front to namespace=db over kernel", 1, 2, "Denied a")]
    [TestCase("rule a from namespace=web,app=front to namespace=db over kernel", 2, 1, "Denied a", Description = "whoever opened it")]
    [TestCase("rule a from app=front to app=front over kernel", 1, 2, "Allowed default")]
    [TestCase("rule a from app=front to app=store over shm; rule b from any to any over kernel", 1, 2, "Allowed a")]
    // What depends on labels that are not known goes nowhere, whichever rule it would be.
    [TestCase("rule a from namespace=web to app=store over kernel", 1, 3, "Open a")]
    [TestCase("rule a from namespace=web to app=store over kernel", 1, 4, "Open a")]
    [TestCase("rule a from app=front to app=store over shm; rule b from any to any over kernel", 1, 3, "Open a")]
    [TestCase("rule a from app=front to app=x over shm; rule b from any to any over kernel", 1, 4, "Open a")]
    [TestCase("rule a from 10.0.0.1 to app=x over kernel; rule b from any to any over shm", 3, 4, "Allowed b", Description = "it cannot be the first")]
    [TestCase("rule a from namespace=db to app=x over kernel", 1, 3, "Allowed default", Description = "nor here: one namespace is known to be another")]
    // Where every rule that may cover it says the same nothing need be known.
    [TestCase("rule a from any to app=x over shm; rule b from any to any over shm", 1, 4, "Allowed b")]
    [TestCase("rule a from any to app=x over kernel; rule b from any to any over fabric", 1, 4, "Denied b")]
    public void TheFirstRuleThatCoversDecidesAndDoubtNeverAccelerates(string rules, int local, int remote, string expected)
    {
        File.WriteAllText(_policyPath, rules.Replace("; ", "\n", StringComparison.Ordinal));
        using PolicyTable table = new(_policyPath, new Hashtable(), new Log(false), _locations);
        (Verdict verdict, PolicyRule rule) = table.Decide(new(Endpoint(local), Endpoint(remote)), Transports.SharedMemory);
        Assert.That($"{verdict} {rule.Name}", Is.EqualTo(expected));
        Assert.That(table.Rules.Sum(each => each.Decided), Is.EqualTo(verdict == Verdict.Open ? 0 : 1));
    }

    [Test]
    public void AChangeOfLabelsHoldsForTheNextConnection()
    {
        File.WriteAllText(_policyPath, "rule a from app=front to app=store over kernel");
        using PolicyTable table = new(_policyPath, new Hashtable(), new Log(false), _locations);
        Verdict Decide() => table.Decide(new(Endpoint(1), Endpoint(2)), Transports.SharedMemory).Verdict;
        Assert.That(Decide(), Is.EqualTo(Verdict.Denied));
        File.WriteAllText(_locationsPath, Locations.Replace("app=store", "app=other", StringComparison.Ordinal));
        Fabric.FakeEnd.Eventually(() => Decide() == Verdict.Allowed, "the new labels hold");
    }

    [Test]
    public void NobodyKnowsAnythingWithoutLocations()
    {
        File.WriteAllText(_policyPath, "rule a from app=front to app=store over kernel");
        using PolicyTable table = new(_policyPath, new Hashtable(), new Log(false), new NoLocations());
        Assert.That(table.Decide(new(Endpoint(1), Endpoint(2)), Transports.SharedMemory).Verdict, Is.EqualTo(Verdict.Open));
    }

    private static InternetEndpoint Endpoint(int last) => new(InternetAddress.FromIPv4([10, 0, 0, (byte)last]), 1);
}
