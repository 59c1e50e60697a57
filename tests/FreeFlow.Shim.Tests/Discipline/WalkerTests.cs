using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using NUnit.Framework;

namespace FreeFlow.Shim.Tests.Discipline;

/// <summary>The walker finds each broken rule, and none where there is none.</summary>
public sealed class WalkerTests
{
    [TestCase(nameof(Offenders.NewObject), "newobj System.Collections.Generic.List`1[System.Int32]")]
    [TestCase(nameof(Offenders.NewArray), "newarr")]
    [TestCase(nameof(Offenders.Boxes), "box System.Int32")]
    [TestCase(nameof(Offenders.Throws), "throw")]
    [TestCase(nameof(Offenders.LoadsString), "ldstr")]
    [TestCase(nameof(Offenders.CallsInterface), "virtual call of ", "IThing.Act")]
    [TestCase(nameof(Offenders.CallsVirtual), "virtual call of System.Object.GetHashCode")]
    [TestCase(nameof(Offenders.CallsDelegate), "virtual call of System.Action.Invoke")]
    [TestCase(nameof(Offenders.BoxesForToString), "box ", "Plain for System.")]
    [TestCase(nameof(Offenders.ReadsInitialised), "ldsfld ", "Relaxed.Value, whose type has a static constructor")]
    [TestCase(nameof(Offenders.CallsInitialised), "Eager.Value, whose type has a static constructor")]
    [TestCase(nameof(Offenders.ReadsReference), "Reference, a reference")]
    [TestCase(nameof(Offenders.ReadsThreadStatic), "PerThread, a thread-static field")]
    [TestCase(nameof(Offenders.Catches), "try with Clause handler")]
    [TestCase(nameof(Offenders.Locks), "call of System.Threading.Monitor.Enter")]
    [TestCase(nameof(Offenders.Invokes), "p/invoke ", "Offenders.getpid")]
    [TestCase(nameof(Offenders.CallsUnmanaged), "calli of an unmanaged signature without SuppressGCTransition")]
    [TestCase(nameof(Offenders.CallsUnmanagedC), "calli of an unmanaged signature without SuppressGCTransition")]
    [TestCase(nameof(Offenders.CallsFramework), "call of System.Environment.get_TickCount64")]
    [TestCase(nameof(Offenders.Casts), "isinst")]
    [TestCase(nameof(Offenders.CopiesBlock), "call of System.Runtime.CompilerServices.Unsafe.CopyBlock")]
    [TestCase(nameof(Offenders.Lambda), "newobj System.Func`2")]
    [TestCase(nameof(Offenders.ToArray), "ToArray")]
    [TestCase(nameof(Offenders.Deep), "Offenders.Deep → Offenders.Deeper → Offenders.CallsFramework: call of System.Environment.get_TickCount64")]
    public void FindsABrokenRule(string method, params string[] parts)
    {
        IReadOnlyList<string> violations = Walk(typeof(Offenders), method);
        Assert.That(violations.Where(line => parts.All(line.Contains)), Is.Not.Empty, string.Join('\n', violations));
    }

    [Test]
    public void EveryOffenderHasATest()
    {
        string[] tested = GetType().GetMethod(nameof(FindsABrokenRule))!.GetCustomAttributes<TestCaseAttribute>().Select(c => (string)c.Arguments[0]!).ToArray();
        string[] written = typeof(Offenders).GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly).Select(m => m.Name).ToArray();
        Assert.That(tested, Is.EquivalentTo(written));
    }

    [Test]
    public void LetsHotCodeThrough() => Assert.That(Walk(typeof(Abiding), nameof(Abiding.Works)), Is.Empty);

    private static IReadOnlyList<string> Walk(System.Type type, string method) => DisciplineWalker.Violations([type.GetMethod(method)!]);
}
