using System.Collections.Generic;
using System.Reflection;
using NUnit.Framework;

namespace FreeFlow.Shim.Tests.Discipline;

/// <summary>The shim's interposed methods keep the rules of code that is called by raw address.</summary>
public sealed class ShimDisciplineTests
{
    private static readonly Assembly Shim = Assembly.Load("FreeFlow.Shim");

    [Test]
    public void InterposedMethodsNeverAllocateThrowLockOrCallTheRuntime()
    {
        IReadOnlyList<string> violations = DisciplineWalker.Violations(DisciplineWalker.Roots(Shim));
        Assert.That(violations, Is.Empty, string.Join('\n', violations));
    }

    [Test]
    public void ThereAreInterposedMethods() => Assert.That(DisciplineWalker.Roots(Shim), Has.Count.GreaterThan(30));
}
