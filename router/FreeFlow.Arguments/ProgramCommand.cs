using System.CommandLine;
using System.CommandLine.Help;

namespace FreeFlow.Arguments;

/// <summary>The root of a program's command line.</summary>
public class ProgramCommand : RootCommand
{
    /// <param name="program">Its name, whatever the file is called.</param>
    /// <param name="description">What the program does; <c>--help</c> begins with it.</param>
    protected ProgramCommand(string program, string description) : base(description)
    {
        HelpName = program;
        Options.Clear();
    }

    /// <summary>Adds what every program has, behind its own options.</summary>
    protected void AddCommonOptions()
    {
        Options.Add(new HelpOption("--help", "-h") { Description = "print this" });
        Options.Add(new VersionOption { Description = "print the version" });
    }
}
