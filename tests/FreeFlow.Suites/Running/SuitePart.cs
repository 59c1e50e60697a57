using System;
using System.Collections.Generic;
using FreeFlow.Lab;

namespace FreeFlow.Suites.Running;

/// <summary>A part of a suite: one command, run plain and preloaded, each time alone in a new container.</summary>
/// <param name="Name">Name in the table.</param>
/// <param name="Command">The command, given an empty folder to work in.</param>
/// <param name="Read">Which tests ran and how each ended, from the folder and the command's output.</param>
public sealed record SuitePart(string Name, Func<string, CommandLine> Command, Func<string, CompletedProcess, IReadOnlyDictionary<string, Outcome>> Read)
{
    /// <summary>True: without a byte in a ring the preloaded run proves nothing.</summary>
    public bool NeedsRing { get; init; } = true;

    /// <summary>
    /// Of tests that need what only FreeFlow gives (an RDMA device): those that pass, one each line. They stand for the plain run, and no
    /// test may fail. Null: the plain run says it.
    /// </summary>
    public string? Expected { get; init; }

    /// <summary>A run that lasts longer has hung.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Where a run differs for a reason that is known and named: test name (or its beginning, ending in *) and the reason.</summary>
    public IReadOnlyDictionary<string, string> Known { get; init; } = new Dictionary<string, string>();

    /// <inheritdoc/>
    public override string ToString() => Name;
}
