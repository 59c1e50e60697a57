using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;

namespace FreeFlow.Shim.Tests.Discipline;

/// <summary>
/// Follows calls from the interposed methods through the shim's own assemblies and reports what code called by raw address must not do
/// (see <c>FreeFlow.Shim.Exports.InterposeAttribute</c>). One line per violation: "export → method → method: what".
/// </summary>
public static class DisciplineWalker
{
    private const string RootAttribute = "FreeFlow.Shim.Exports.InterposeAttribute", VerbsRootAttribute = "FreeFlow.Shim.Verbs.Exports.VerbsAttribute";

    /// <summary>True for the assemblies whose methods are read; all others' need a place among <see cref="AllowedCalls"/>.</summary>
    public static bool IsWalked(Assembly assembly) => assembly.GetName().Name is "FreeFlow.Shim" or "FreeFlow.Contract" or "FreeFlow.Shim.Tests" or "MessagePack";

    /// <summary>Every method that a trampoline calls.</summary>
    public static IReadOnlyList<MethodBase> Roots(Assembly assembly) => assembly.GetTypes()
        .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
        .Where(method => method.CustomAttributes.Any(a => a.AttributeType.FullName is RootAttribute or VerbsRootAttribute))
        .ToArray();

    /// <summary>All violations below <paramref name="roots"/>, each method looked at once, by its shortest way.</summary>
    public static IReadOnlyList<string> Violations(IEnumerable<MethodBase> roots)
    {
        List<string> found = [];
        HashSet<MethodBase> seen = [];
        Queue<(MethodBase Method, string Way)> queue = new();
        foreach (MethodBase root in roots) Enqueue(root, "");
        while (queue.TryDequeue(out (MethodBase Method, string Way) next))
        {
            (IReadOnlyList<string> violations, IReadOnlyList<MethodBase> callees) = MethodInspector.Inspect(next.Method);
            found.AddRange(violations.Select(what => $"{next.Way}: {what}"));
            foreach (MethodBase callee in callees) Enqueue(callee, next.Way + " → ");
        }
        return found;

        void Enqueue(MethodBase method, string way)
        {
            if (seen.Add(method)) queue.Enqueue((method, $"{way}{method.DeclaringType!.Name}.{method.Name}"));
        }
    }
}
