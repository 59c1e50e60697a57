namespace FreeFlow.Cli.Inspection;

/// <summary>What stands after <c>freeflow doctor</c>.</summary>
/// <param name="Router">Path of the router's socket.</param>
/// <param name="Command">The program to look at; empty: the machine.</param>
internal sealed record DoctorOptions(string Router, string[] Command);
