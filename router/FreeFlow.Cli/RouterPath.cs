using System;
using System.IO;
using FreeFlow.Contract;

namespace FreeFlow.Cli;

/// <summary>Which socket is meant.</summary>
internal static class RouterPath
{
    /// <summary>Without --router.</summary>
    public static string Default => Environment.GetEnvironmentVariable("FREEFLOW_SOCKET") is { Length: > 0 } path ? path : Protocol.DefaultSocketPath;

    /// <summary>Value of --router at <paramref name="index"/>, made absolute; the index then stands on the value.</summary>
    public static string Take(ReadOnlySpan<string> arguments, ref int index)
    {
        string argument = arguments[index];
        string path = "";
        if (argument.StartsWith("--router=", StringComparison.Ordinal)) path = argument["--router=".Length..];
        else if (index + 1 < arguments.Length) path = arguments[++index];
        return path.Length > 0 ? Path.GetFullPath(path) : throw new CommandException("--router needs the path of the router's socket after it.", 2);
    }

    /// <summary>True for --router PATH and --router=PATH.</summary>
    public static bool IsOption(string argument) => argument == "--router" || argument.StartsWith("--router=", StringComparison.Ordinal);
}
