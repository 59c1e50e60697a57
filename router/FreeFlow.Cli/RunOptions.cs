namespace FreeFlow.Cli;

/// <summary>What stands after <c>freeflow run</c>.</summary>
/// <param name="Router">Socket path of --router; null leaves the environment as it is.</param>
/// <param name="Quiet">Say nothing of a router that is not there.</param>
/// <param name="Command">The command and its arguments; at least one.</param>
internal sealed record RunOptions(string? Router, bool Quiet, string[] Command);
