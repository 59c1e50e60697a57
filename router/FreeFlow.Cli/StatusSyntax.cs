using System;
using System.CommandLine;
using System.Globalization;
using FreeFlow.Arguments;
using FreeFlow.Cli.Status;

namespace FreeFlow.Cli;

/// <summary>How <c>freeflow status</c> is written.</summary>
internal sealed class StatusSyntax : Command
{
    private readonly ValueOption<string> _router = RouterPath.Option();
    private readonly FlagOption _json = new("--json", "for machines");
    private readonly ValueOption<TimeSpan?> _watch = new("--watch", "SECONDS", "again every SECONDS, 1 if not given, until Ctrl-C", Seconds)
    {
        IsValueOptional = true,
    };

    private readonly FlagOption _all = new("--all", "a line for each connection, however many there are");
    private readonly ValueOption<string> _program = new("--program", "NAME", "only programs whose name contains NAME", name => name);
    private readonly ValueOption<StatusOrder> _sort = new(
        "--sort", "ORDER", "what comes first: bytes (default), ring, connections or program", Order);

    public StatusSyntax() : base(
        "status", "list the processes connected to the router and their connections, with the way their bytes take")
    {
        Options.Add(_router);
        Options.Add(_json);
        Options.Add(_watch);
        Options.Add(_all);
        Options.Add(_program);
        Options.Add(_sort);
        SetAction(read => StatusCommand.Execute(Read(read)));
    }

    public StatusOptions Read(ParseResult read)
    {
        TimeSpan? interval = read.GetResult(_watch) is null ? null : read.GetValue(_watch) ?? TimeSpan.FromSeconds(1);
        return new StatusOptions(read.GetValue(_router) ?? RouterPath.Default, read.GetValue(_json), interval)
        {
            View = new StatusView(read.GetValue(_all), read.GetValue(_program), read.GetValue(_sort)),
        };
    }

    private static StatusOrder Order(string text) => text switch
    {
        "bytes" => StatusOrder.Bytes,
        "ring" => StatusOrder.Ring,
        "connections" => StatusOrder.Connections,
        "program" => StatusOrder.Program,
        _ => throw new FormatException("give bytes, ring, connections or program."),
    };

    private static TimeSpan? Seconds(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds)
        && seconds is >= 0.1 and <= 86400
            ? TimeSpan.FromSeconds(seconds)
            : throw new FormatException("give seconds from 0.1 to 86400.");
}
