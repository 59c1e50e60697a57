using FreeFlow.Differential.Programs;

namespace FreeFlow.Differential.Running;

/// <summary>A program that two roads perform differently.</summary>
/// <param name="Road">The road that was compared with the kernel.</param>
/// <param name="Program">As generated, or shrunk.</param>
/// <param name="Difference">Where they part.</param>
/// <param name="Again">How many of the tries that followed parted too.</param>
/// <param name="Tries">How many tries followed.</param>
public sealed record Failure(string Road, SocketProgram Program, Difference Difference, int Again, int Tries)
{
    /// <summary>Whether it parts every time: no matter of how the processes are scheduled.</summary>
    public bool IsSteady => Again == Tries;

    /// <inheritdoc/>
    public override string ToString() =>
        $"seed {Program.Seed}, road {Road}, seen again {Again} of {Tries}\n  {Difference.ToString().Replace("\n", "\n  ")}\n  program, shrunk:\n{Numbered()}" +
        $"  again: make test-differential SEED={Program.Seed} COUNT=1 ROAD={Road}\n";

    private string Numbered()
    {
        string text = "";
        for (int i = 0; i < Program.Steps.Count; i++) text += $"    {i,3}  {Program.Steps[i]}\n";
        return text;
    }
}
