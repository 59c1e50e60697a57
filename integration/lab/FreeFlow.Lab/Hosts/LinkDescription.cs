using System;

namespace FreeFlow.Lab.Hosts;

/// <summary>How good a host's cable to the underlay is; either way the same.</summary>
/// <param name="Rate">As tc(8) writes it, for example "1gbit"; null: as fast as the machine is.</param>
/// <param name="Delay">Added to every packet, as tc(8) writes it, for example "200us" (needs a kernel with netem); null: none.</param>
public sealed record LinkDescription(string? Rate = null, string? Delay = null)
{
    /// <summary>True: nothing is slowed.</summary>
    public bool IsPlain => Rate is null && Delay is null;

    /// <summary>Reads "rate=1gbit,delay=2ms", in any order.</summary>
    public static LinkDescription Parse(string text)
    {
        LinkDescription link = new();
        foreach (string part in text.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries))
        {
            string[] pair = part.Split('=', 2);
            link = pair switch
            {
                ["rate", { Length: > 0 } rate] => link with { Rate = Word(rate) },
                ["delay", { Length: > 0 } delay] => link with { Delay = Word(delay) },
                _ => throw new LabException($"'{part}' describes no link: give rate=1gbit or delay=2ms, or both with a comma."),
            };
        }
        return link.IsPlain ? throw new LabException("A link needs rate=… or delay=….") : link;
    }

    /// <summary>The text, if it is a number with a unit behind it; it becomes a word of a command line.</summary>
    internal static string Word(string text)
    {
        foreach (char letter in text)
        {
            if (!char.IsAsciiLetterOrDigit(letter) && letter != '.') throw new LabException($"'{text}' is no rate or delay: give one such as 1gbit or 2ms.");
        }
        return text;
    }

    /// <inheritdoc/>
    public override string ToString() => IsPlain ? "plain" : $"{(Rate is null ? "" : $"rate={Rate}")}{(Rate is null || Delay is null ? "" : ",")}{(Delay is null ? "" : $"delay={Delay}")}";
}
