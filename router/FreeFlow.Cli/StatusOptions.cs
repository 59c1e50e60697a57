using System;
using FreeFlow.Cli.Status;

namespace FreeFlow.Cli;

/// <summary>What stands after <c>freeflow status</c>.</summary>
/// <param name="Router">Path of the router's socket.</param>
/// <param name="Json">Print the router's JSON as it is.</param>
/// <param name="Interval">Time between two looks; null for one look.</param>
internal sealed record StatusOptions(string Router, bool Json, TimeSpan? Interval)
{
    /// <summary>What of it is shown.</summary>
    public StatusView View { get; init; } = new();
}
