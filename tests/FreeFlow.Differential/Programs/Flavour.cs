namespace FreeFlow.Differential.Programs;

/// <summary>What a program is mostly about, as weights of the kinds of step.</summary>
internal sealed record Flavour(int Transfers, int Readiness, int Ends, int Descriptors, int Options, int Processes, int Signals, int Floods)
{
    public static readonly Flavour[] All =
    [
        new(70, 5, 4, 3, 4, 0, 2, 1),
        new(40, 40, 4, 4, 2, 0, 1, 1),
        new(40, 10, 20, 6, 4, 2, 2, 1),
        new(45, 8, 6, 15, 3, 12, 2, 1),
        new(30, 6, 3, 3, 2, 4, 3, 12),
        new(40, 15, 8, 8, 15, 5, 8, 2),
    ];
}
