using System;

namespace FreeFlow.Cli;

/// <summary>What stands after <c>freeflow run</c>.</summary>
/// <param name="Router">Socket path of --router; null leaves the environment as it is.</param>
/// <param name="Quiet">Say nothing of a router that is not there.</param>
/// <param name="Command">The command and its arguments; at least one.</param>
internal sealed record RunOptions(string? Router, bool Quiet, string[] Command)
{
    /// <summary>Options end at -- or at the first word that is none.</summary>
    public static RunOptions Parse(ReadOnlySpan<string> arguments)
    {
        string? router = null;
        bool quiet = false;
        int i = 0;
        for (; i < arguments.Length; i++)
        {
            if (arguments[i] == "--") { i++; break; }
            if (RouterPath.IsOption(arguments[i])) { router = RouterPath.Take(arguments, ref i); continue; }
            if (arguments[i] == "--quiet") { quiet = true; continue; }
            if (arguments[i].StartsWith('-')) throw new CommandException($"run: unknown option '{arguments[i]}'; put -- before the command: freeflow run -- COMMAND.", 2);
            break;
        }
        if (i >= arguments.Length) throw new CommandException("run: no command given: freeflow run -- COMMAND [ARGUMENT...].", 2);
        return new RunOptions(router, quiet, arguments[i..].ToArray());
    }
}
