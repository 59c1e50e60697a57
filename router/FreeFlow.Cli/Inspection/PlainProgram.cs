namespace FreeFlow.Cli.Inspection;

/// <summary>A program that talks to another one on this host without the shim.</summary>
/// <param name="Process">Its pid.</param>
/// <param name="Name">Its name (comm).</param>
/// <param name="Service">"serves 80" or "calls 80".</param>
/// <param name="Connections">How many connections of that kind it has to this host.</param>
/// <param name="File">The program that it runs; null if that cannot be told.</param>
internal sealed record PlainProgram(int Process, string Name, string Service, int Connections, string? File);
