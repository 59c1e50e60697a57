namespace FreeFlow.Cli.Inspection;

/// <summary>What <c>freeflow doctor</c> has found.</summary>
/// <param name="Severity">How much it matters.</param>
/// <param name="Name">The check's, one word.</param>
/// <param name="What">What is so, with the value.</param>
/// <param name="Why">Why it matters; empty if it is good.</param>
/// <param name="Mend">The command that mends it, or what to do; empty if it is good.</param>
internal sealed record Finding(Severity Severity, string Name, string What, string Why = "", string Mend = "");
