using System;
using System.Globalization;

namespace FreeFlow.Lab.Hosts;

/// <summary>How good a host's cable to the underlay is; either way the same.</summary>
/// <param name="Rate">As tc(8) writes it, for example "1gbit"; null: as fast as the machine is.</param>
/// <param name="Delay">Added to every packet, as tc(8) writes it, for example "200us" (needs a kernel with netem); null: none.</param>
public sealed record LinkDescription(string? Rate = null, string? Delay = null)
{
    private static readonly string[] s_rates = ["bit", "kbit", "mbit", "gbit"], s_delays = ["us", "ms", "s"];
    private static readonly char[] s_letters = [.. "abcdefghijklmnopqrstuvwxyz"];

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
                ["rate", { Length: > 0 } rate] => link with { Rate = Rated(rate) },
                ["delay", { Length: > 0 } delay] => link with { Delay = Delayed(delay) },
                _ => throw new LabException($"'{part}' describes no link: give rate=1gbit or delay=2ms, or both with a comma."),
            };
        }
        return link.IsPlain ? throw new LabException("A link needs rate=… or delay=….") : link;
    }

    /// <summary>The text, if it is a rate: it becomes a word of a command line. Throws <see cref="LabException"/>.</summary>
    internal static string Rated(string text) =>
        IsNumberWithUnit(text, s_rates) ? text
            : throw new LabException($"rate '{text}': give a number above 0 with bit, kbit, mbit or gbit behind it, such as 1gbit.");

    /// <summary>The same of a delay.</summary>
    internal static string Delayed(string text) =>
        IsNumberWithUnit(text, s_delays) ? text
            : throw new LabException($"delay '{text}': give a number above 0 with us, ms or s behind it, such as 2ms.");

    private static bool IsNumberWithUnit(string text, string[] units)
    {
        string number = text.TrimEnd(s_letters);
        return Array.IndexOf(units, text[number.Length..]) >= 0
            && double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) && value > 0;
    }

    /// <inheritdoc/>
    public override string ToString() => IsPlain ? "plain" : $"{(Rate is null ? "" : $"rate={Rate}")}{(Rate is null || Delay is null ? "" : ",")}{(Delay is null ? "" : $"delay={Delay}")}";
}
