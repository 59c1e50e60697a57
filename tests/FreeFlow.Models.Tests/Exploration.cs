namespace FreeFlow.Models.Tests;

/// <summary>What spin's verifier says after a search (spin(1), pan's output).</summary>
/// <param name="Errors">Violations found; the search stops at the first.</param>
/// <param name="IsComplete">True if every reachable state was visited: no bound was hit and no state was dropped.</param>
/// <param name="States">Distinct states stored.</param>
/// <param name="Violation">What was violated, empty without an error.</param>
/// <param name="Report">The verifier's whole output.</param>
internal sealed record Exploration(int Errors, bool IsComplete, long States, string Violation, string Report);
