using System;

namespace FreeFlow.Cli;

/// <summary>Ends the command with one line on standard error and an exit code.</summary>
internal sealed class CommandException(string message, int exitCode = 1) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
