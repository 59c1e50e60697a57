using System.Linq;
using FreeFlow.Differential.Programs;
using FreeFlow.Differential.Running;
using NUnit.Framework;

namespace FreeFlow.Differential.Tests;

/// <summary>The machinery itself: a difference is seen where it is, and a failing program is made short.</summary>
public sealed class MachineryTests
{
    [Test]
    public void AWrongAnswerIsSeenWhereItIsGiven()
    {
        SocketProgram good = new(0, ["* pair 0 a0 0 b0 0 0 0 0 1", "a0 send 0 100 0", "b0 recv 0 10 2", "b0 recv 0 100 0"]);
        // What a road would answer that forgets MSG_PEEK.
        SocketProgram bad = good with { Steps = [.. good.Steps.Select(step => step.Replace("10 2", "10 0"))] };
        using Lane lane = new(Road.Plain);
        Outcome expected = lane.Perform(good), actual = lane.Perform(bad);
        Assert.That(Comparison.Compare(good, expected, lane.Perform(good), Road.Plain), Is.Null);
        Assert.That(Comparison.Compare(good, expected, actual, Road.Plain)?.Step, Is.EqualTo(3));
    }

    [Test]
    public void ASleepThatAnotherActorEndsIsSeen()
    {
        SocketProgram program = new(0, ["* pair 0 a0 0 b0 0 0 0 0 1", "b0& recv 0 10 0", "a0 send 0 10 0"]);
        using Lane lane = new(Road.Plain);
        Outcome outcome = lane.Perform(program);
        Assert.That(outcome.Answers[1]?.WokenAt, Is.EqualTo(2));
        Assert.That(outcome.Answers[1]?.Text, Is.EqualTo("10"));
    }

    [Test]
    public void TheShrinkerLeavesWhatMatters()
    {
        SocketProgram program = Generator.Make(7);
        string first = program.Steps[3], second = program.Steps[^2];
        SocketProgram less = Shrinker.Shrink(program, candidate => candidate.Steps.Contains(first) && candidate.Steps.Contains(second));
        Assert.That(less.Steps, Is.EqualTo(new[] { first, second }));
    }

    [Test]
    public void ASeedIsAProgram() => Assert.That(Generator.Make(42).Text, Is.EqualTo(Generator.Make(42).Text));
}
