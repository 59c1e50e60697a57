using System;
using System.Globalization;

namespace FreeFlow.Cli;

/// <summary>What stands after <c>freeflow status</c>.</summary>
/// <param name="Router">Path of the router's socket.</param>
/// <param name="Json">Print the router's JSON as it is.</param>
/// <param name="Interval">Time between two looks; null for one look.</param>
internal sealed record StatusOptions(string Router, bool Json, TimeSpan? Interval)
{
    public static StatusOptions Parse(ReadOnlySpan<string> arguments)
    {
        StatusOptions options = new(RouterPath.Default, false, null);
        for (int i = 0; i < arguments.Length; i++)
        {
            string argument = arguments[i];
            if (RouterPath.IsOption(argument)) options = options with { Router = RouterPath.Take(arguments, ref i) };
            else if (argument == "--json") options = options with { Json = true };
            else if (argument == "--watch")
            {
                bool given = i + 1 < arguments.Length && !arguments[i + 1].StartsWith("--", StringComparison.Ordinal);
                options = options with { Interval = given ? Seconds(arguments[++i]) : TimeSpan.FromSeconds(1) };
            }
            else if (argument.StartsWith("--watch=", StringComparison.Ordinal)) options = options with { Interval = Seconds(argument["--watch=".Length..]) };
            else throw new CommandException($"status: unknown argument '{argument}'; freeflow --help lists them.", 2);
        }
        return options;
    }

    private static TimeSpan Seconds(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds) && seconds is >= 0.1 and <= 86400
            ? TimeSpan.FromSeconds(seconds)
            : throw new CommandException($"status: --watch {text}: give seconds from 0.1 to 86400.", 2);
}
