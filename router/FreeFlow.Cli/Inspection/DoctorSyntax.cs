using System.CommandLine;
using FreeFlow.Arguments;

namespace FreeFlow.Cli.Inspection;

/// <summary>How <c>freeflow doctor</c> is written.</summary>
internal sealed class DoctorSyntax : Command
{
    private readonly ValueOption<string> _router = RouterPath.Option();
    private readonly CommandArgument _command = new() { Arity = ArgumentArity.ZeroOrMore, Description = "a program to look at, before it is run" };

    public DoctorSyntax() : base("doctor", "say what stands in the way of acceleration, of this machine or of COMMAND, and what mends it")
    {
        Options.Add(_router);
        Arguments.Add(_command);
        SetAction(read => DoctorCommand.Execute(Read(read)));
    }

    public DoctorOptions Read(ParseResult read) => new(read.GetValue(_router) ?? RouterPath.Default, read.GetValue(_command) ?? []);
}
