namespace FreeFlow.Cli.Top;

/// <summary>One service of one program, between two looks.</summary>
/// <param name="Program">Its name.</param>
/// <param name="Container">Its container; "-" if it has none.</param>
/// <param name="Service">"serves 80" or "calls 80".</param>
/// <param name="Open">Connections.</param>
/// <param name="OpenInRing">Of them, those in a ring.</param>
/// <param name="Ended">Connections that ended since the last look.</param>
/// <param name="Ring">Bytes a second by ring, both directions.</param>
/// <param name="Kernel">Bytes a second by the kernel.</param>
/// <param name="Reason">Why most of those that are not in a ring are not.</param>
internal sealed record TopRow(string Program, string Container, string Service, long Open, long OpenInRing, long Ended, double Ring, double Kernel, string Reason);
