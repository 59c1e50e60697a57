namespace FreeFlow.Differential.Running;

/// <summary>A step, and what two roads answered.</summary>
public sealed record Step(string Text, int Number, Answer? Kernel, Answer? Ring, Road Road)
{
    /// <summary>The call, as native/*.c names it.</summary>
    /// <remarks>A readiness call with a signal waiting is that call.</remarks>
    public string Verb => Words.Length > 1 && Words[1] != "let" ? Words[1] : Words.Length > 2 ? Words[2] : "";

    /// <summary>Actor, verb, arguments.</summary>
    public string[] Words { get; } = Text.Split(' ');

    /// <summary>True if both came to an end before the program did.</summary>
    public bool BothEnded => Kernel is { WokenAt: >= 0 } && Ring is { WokenAt: >= 0 };
}
