using System;
using System.CommandLine;
using System.Globalization;
using FreeFlow.Arguments;

namespace FreeFlow.Cli.Trace;

/// <summary>How <c>freeflow trace</c> is written.</summary>
internal sealed class TraceSyntax : Command
{
    private readonly ValueOption<string> _capture = new(
        "--pcap", "FILE", "write what accelerated connections carry as packets (pcapng); - is standard output", FileName);
    private readonly ValueOption<int> _process = new("--pid", "PID", "connections of this process only", text => Number(text, int.MaxValue));
    private readonly ValueOption<string> _program = new("--program", "NAME", "connections of programs of this name only", name => name);
    private readonly ValueOption<int> _port = new("--port", "PORT", "connections with this port only", text => Number(text, ushort.MaxValue));
    private readonly ValueOption<TimeSpan?> _time = new("--for", "SECONDS", "end after so long; default: Ctrl-C", Seconds);

    public TraceSyntax() : base("trace", "tell the steps that connections take, or write their bytes as packets for Wireshark")
    {
        foreach (Option option in (Option[])[_capture, _process, _program, _port, _time]) Options.Add(option);
        SetAction(read => TraceCommand.Execute(Read(read)));
    }

    public TraceOptions Read(ParseResult read) =>
        new(read.GetValue(_capture), read.GetValue(_process), read.GetValue(_program), read.GetValue(_port), read.GetValue(_time));

    private static string FileName(string text) => text.Length > 0 ? text : throw new FormatException("give a file, or - for standard output.");

    private static int Number(string text, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= 1 && number <= most
            ? number
            : throw new FormatException($"give a whole number from 1 to {most}.");

    private static TimeSpan? Seconds(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds) && seconds is >= 0.1 and <= 86400
            ? TimeSpan.FromSeconds(seconds)
            : throw new FormatException("give seconds from 0.1 to 86400.");
}
