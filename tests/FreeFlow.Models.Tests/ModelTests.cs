using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using NUnit.Framework;

namespace FreeFlow.Models.Tests;

/// <summary>
/// Every model holds in all its reachable states, and every fault that its text can be compiled with breaks it: a model that cannot fail proves nothing.
/// </summary>
[TestFixture]
public sealed class ModelTests
{
    private static readonly string[] Expected = ["close.pml", "doorbell-epoll.pml", "doorbell.pml", "handover.pml", "localreturn.pml", "queuepair.pml", "reattach.pml", "return.pml", "standin.pml", "withdrawal.pml"];

    private static IEnumerable<string> Models() => Directory.EnumerateFiles(Spin.ModelFolder, "*.pml").Select(path => Path.GetFileName(path)).Order();

    private static IEnumerable<TestCaseData> Faults() =>
        from model in Models()
        from fault in FaultsOf(model, @"^#if.*$")
        select new TestCaseData(model, fault).SetArgDisplayNames(model, fault);

    [Test]
    public void No_model_is_missing() => Assert.That(Models(), Is.EquivalentTo(Expected));

    [TestCaseSource(nameof(Models))]
    public void Holds_in_every_reachable_state(string model)
    {
        Exploration found = Spin.Explore(model);
        TestContext.Out.WriteLine($"{model}: {found.States} states");
        Assert.That(found.Errors, Is.Zero, found.Report);
        Assert.That(found.IsComplete, found.Report);
    }

    [TestCaseSource(nameof(Faults))]
    public void Fault_is_found(string model, string fault)
    {
        Exploration found = Spin.Explore(model, fault);
        Assert.That(found.Errors, Is.Not.Zero, $"{model} holds with {fault} in it:\n{found.Report}");
        Assert.That(found.Violation, Does.Contain("invalid end state").Or.Contain("assertion violated"), found.Report);
    }

    [TestCaseSource(nameof(Models))]
    public void Header_tells_every_fault(string model) =>
        Assert.That(FaultsOf(model, @"^ \* .*$"), Is.EquivalentTo(FaultsOf(model, @"^#if.*$")).And.Not.Empty);

    private static IEnumerable<string> FaultsOf(string model, string lines)
    {
        string text = File.ReadAllText(Path.Combine(Spin.ModelFolder, model));
        return Regex.Matches(text, lines, RegexOptions.Multiline).SelectMany(line => Regex.Matches(line.Value, "FAULT_[A-Z_]+")).Select(name => name.Value).Distinct().Order();
    }
}
