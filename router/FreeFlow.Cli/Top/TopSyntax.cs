using System;
using System.CommandLine;
using System.Globalization;
using FreeFlow.Arguments;

namespace FreeFlow.Cli.Top;

/// <summary>How <c>freeflow top</c> is written.</summary>
internal sealed class TopSyntax : Command
{
    private readonly ValueOption<string> _router = RouterPath.Option();
    private readonly ValueOption<TimeSpan?> _every = new("--every", "SECONDS", "time between two looks; default 1", Seconds);

    public TopSyntax() : base("top", "show what programs move now, in a terminal")
    {
        Options.Add(_router);
        Options.Add(_every);
        SetAction(read => TopCommand.Execute(Read(read)));
    }

    public TopOptions Read(ParseResult read) => new(read.GetValue(_router) ?? RouterPath.Default, read.GetValue(_every) ?? TimeSpan.FromSeconds(1));

    private static TimeSpan? Seconds(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds) && seconds is >= 0.1 and <= 3600
            ? TimeSpan.FromSeconds(seconds)
            : throw new FormatException("give seconds from 0.1 to 3600.");
}
