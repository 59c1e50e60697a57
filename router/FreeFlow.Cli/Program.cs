using System;
using System.CommandLine;
using FreeFlow.Arguments;

namespace FreeFlow.Cli;

internal static class Program
{
    private const int WrongUsage = 2;
    private static readonly InvocationConfiguration s_plainly = new() { EnableDefaultExceptionHandler = false };

    private static int Main(string[] arguments)
    {
        FreeFlowSyntax syntax = new();
        try
        {
            if (arguments.Length == 0)
            {
                CommandLineReader.Read(syntax, ["--help"]).Invoke(new InvocationConfiguration { Output = Console.Error });
                return WrongUsage;
            }
            if (arguments[0] == "help") arguments[0] = "--help";
            return CommandLineReader.Read(syntax, arguments).Invoke(s_plainly);
        }
        catch (UsageException exception)
        {
            Console.Error.WriteLine($"freeflow: {exception.Message}");
            return WrongUsage;
        }
        catch (CommandException exception)
        {
            Console.Error.WriteLine($"freeflow: {exception.Message}");
            return exception.ExitCode;
        }
    }
}
