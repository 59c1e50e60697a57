using System;
using System.IO;
using FreeFlow.Arguments;
using FreeFlow.Contract;

namespace FreeFlow.Cli;

/// <summary>Which socket is meant.</summary>
internal static class RouterPath
{
    /// <summary>Without --router.</summary>
    public static string Default =>
        Environment.GetEnvironmentVariable("FREEFLOW_SOCKET") is { Length: > 0 } path ? path : Protocol.DefaultSocketPath;

    /// <summary>--router, whose path is made absolute.</summary>
    public static ValueOption<string> Option() => new(
        "--router", "PATH", $"the router's socket; default $FREEFLOW_SOCKET or {Protocol.DefaultSocketPath}",
        path => path.Length > 0 ? Path.GetFullPath(path) : throw new FormatException("give the path of the router's socket."));
}
