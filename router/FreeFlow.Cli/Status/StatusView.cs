namespace FreeFlow.Cli.Status;

/// <summary>What of a status is shown, and in which order.</summary>
/// <param name="All">Every connection on a line of its own, however many there are.</param>
/// <param name="Program">Only programs whose name contains this; null: all.</param>
/// <param name="Sort">The order of programs and connections.</param>
internal sealed record StatusView(bool All = false, string? Program = null, StatusOrder Sort = StatusOrder.Bytes)
{
    public bool Shows(string program) => Program is null || program.Contains(Program, System.StringComparison.OrdinalIgnoreCase);
}
