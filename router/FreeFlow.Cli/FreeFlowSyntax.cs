using FreeFlow.Arguments;
using FreeFlow.Cli.Inspection;
using FreeFlow.Cli.Lab;
using FreeFlow.Cli.Top;
using FreeFlow.Cli.Trace;

namespace FreeFlow.Cli;

/// <summary>The command line of freeflow: a command for each thing that it does.</summary>
internal sealed class FreeFlowSyntax : ProgramCommand
{
    public FreeFlowSyntax() : base(
        "freeflow", "Runs programs with their TCP connections through shared memory, and shows where their bytes go.")
    {
        Subcommands.Add(new RunSyntax());
        Subcommands.Add(new StatusSyntax());
        Subcommands.Add(new TopSyntax());
        Subcommands.Add(new DoctorSyntax());
        Subcommands.Add(new TraceSyntax());
        Subcommands.Add(new LabSyntax());
        AddCommonOptions();
    }
}
