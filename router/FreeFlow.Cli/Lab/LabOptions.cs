namespace FreeFlow.Cli.Lab;

/// <summary>What stands after <c>freeflow lab</c>.</summary>
/// <param name="Action">up, down, status, exec, cut, mend, slow, kill or start.</param>
/// <param name="Folder">Where the laboratory keeps its state.</param>
/// <param name="Plain">exec: without FreeFlow.</param>
/// <param name="Words">What the action works on.</param>
internal sealed record LabOptions(string Action, string Folder, bool Plain, string[] Words);
