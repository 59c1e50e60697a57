namespace FreeFlow.Differential.Running;

/// <summary>The first step at which two roads part.</summary>
public sealed record Difference(int Step, string Text, Answer? Kernel, Answer? Ring)
{
    /// <summary>The same answer, after another step: the machine may have been busy with other things.</summary>
    public bool IsOnlyOfTime => Kernel is { WokenAt: >= 0 } && Ring is { WokenAt: >= 0 } && Kernel.Text == Ring.Text;

    /// <inheritdoc/>
    public override string ToString() => $"step {Step}: {Text}\n    kernel: {Say(Kernel, Step)}\n    ring:   {Say(Ring, Step)}";

    private static string Say(Answer? answer, int step) => answer is null ? "no answer" : answer.WokenAt < 0 || answer.WokenAt == step ? answer.ToString() : $"{answer}   (woken by step {answer.WokenAt})";
}
