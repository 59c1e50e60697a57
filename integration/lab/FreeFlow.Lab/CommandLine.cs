using System.Collections.Generic;
using System.Collections.Immutable;

namespace FreeFlow.Lab;

/// <summary>A program, its arguments and what it finds around it. Immutable; <c>With…</c> returns a changed copy.</summary>
/// <remarks>The environment is the lab's own, without LD_PRELOAD and FREEFLOW_* unless given here.</remarks>
public sealed record CommandLine(string Program, params string[] Arguments)
{
    /// <summary>Variables added to the environment.</summary>
    public ImmutableDictionary<string, string> Environment { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Working folder; null: the root folder.</summary>
    public string? WorkingFolder { get; init; }

    /// <summary>Name of the user to run as; null: the caller's.</summary>
    public string? User { get; init; }

    /// <summary>True: started by <c>freeflow run --</c>. The socket is the place's own.</summary>
    public bool Accelerated { get; init; }

    /// <summary>True: started with LD_PRELOAD and nothing else of <c>freeflow run</c>.</summary>
    public bool Preloaded { get; init; }

    /// <summary>Under <c>freeflow run</c> (<paramref name="accelerated"/>) or plain.</summary>
    public CommandLine WithFreeFlow(bool accelerated = true) => this with { Accelerated = accelerated };

    /// <summary>With LD_PRELOAD set by hand, or plain.</summary>
    public CommandLine WithPreload(bool preloaded = true) => this with { Preloaded = preloaded };

    /// <summary>One more environment variable.</summary>
    public CommandLine With(string name, string value) => this with { Environment = Environment.SetItem(name, value) };

    /// <summary>More environment variables.</summary>
    public CommandLine With(IEnumerable<KeyValuePair<string, string>> variables) => this with { Environment = Environment.SetItems(variables) };

    /// <summary>Run as another user (by setpriv: same process, no session, no PAM).</summary>
    public CommandLine As(string user) => this with { User = user };

    /// <summary>Run in a folder.</summary>
    public CommandLine In(string folder) => this with { WorkingFolder = folder };

    /// <inheritdoc/>
    public override string ToString() => $"{Program} {string.Join(' ', Arguments)}";
}
