using System.CommandLine;
using FreeFlow.Arguments;

namespace FreeFlow.Cli;

/// <summary>How <c>freeflow run</c> is written.</summary>
internal sealed class RunSyntax : Command
{
    private readonly ValueOption<string> _router = RouterPath.Option();
    private readonly FlagOption _quiet = new("--quiet", "say nothing when there is no router");
    private readonly CommandArgument _command = new();

    public RunSyntax() : base("run", "start COMMAND with its TCP connections accelerated; nothing of freeflow remains in between")
    {
        Options.Add(_router);
        Options.Add(_quiet);
        Arguments.Add(_command);
        SetAction(read => RunCommand.Execute(Read(read)));
    }

    public RunOptions Read(ParseResult read) => new(read.GetValue(_router), read.GetValue(_quiet), read.GetRequiredValue(_command));
}
