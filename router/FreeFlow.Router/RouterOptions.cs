using System;
using System.IO;
using FreeFlow.Arguments;
using FreeFlow.Contract;
using FreeFlow.Metrics;
using FreeFlow.Router.Cluster;
using FreeFlow.Service;

namespace FreeFlow.Router;

/// <summary>What the command line of freeflow-router says.</summary>
internal sealed record RouterOptions
{
    /// <summary>Data bytes of one direction of a mirrored ring where nobody chooses others.</summary>
    public const ulong DefaultFabricRingBytes = 2 << 20;

    public string SocketPath { get; init; } =
        Environment.GetEnvironmentVariable("FREEFLOW_SOCKET") is { Length: > 0 } path ? path : Protocol.DefaultSocketPath;
    public ulong RingBytes { get; init; } = 1 << 20;
    public ulong FabricRingBytes { get; init; } = DefaultFabricRingBytes;
    public ulong MaximumSessionsPerUser { get; init; } = 16384;
    public ulong MaximumConnectionsPerUser { get; init; } = 131072;
    public ulong MaximumRingsPerUser { get; init; } = 65536;
    public ulong MaximumRingBytesPerUser { get; init; } = 256UL << 30;
    public int? Nice { get; init; }
    public string? StateFolder { get; init; }
    public string? PolicyPath { get; init; }
    public MetricsAddress? Metrics { get; init; }
    public bool Verbose { get; init; }
    public ClusterOptions Cluster { get; init; } = new();

    /// <summary>
    /// The command line with the options of <c>--config</c>'s file in it; throws <see cref="RouterException"/> with one line.
    /// </summary>
    public static string[] Words(string[] arguments)
    {
        try
        {
            return OptionFile.Expand(arguments);
        }
        catch (Exception exception) when (exception is FormatException or IOException or UnauthorizedAccessException)
        {
            throw new RouterException(exception.Message);
        }
    }

    /// <summary>Reads the arguments; throws <see cref="RouterException"/> with one line about the first that is wrong.</summary>
    public static RouterOptions Parse(string[] arguments)
    {
        RouterSyntax syntax = new();
        try
        {
            return syntax.Read(CommandLineReader.Read(syntax, arguments));
        }
        catch (UsageException exception)
        {
            throw new RouterException(exception.Message);
        }
    }
}
