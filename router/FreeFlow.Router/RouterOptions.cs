using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Router.Cluster;
using FreeFlow.Service;

namespace FreeFlow.Router;

/// <summary>What the command line of freeflow-router says.</summary>
internal sealed record RouterOptions
{
    /// <summary>Data bytes of one direction of a mirrored ring where nobody chooses others.</summary>
    public const ulong DefaultFabricRingBytes = 2 << 20;

    public const string Usage = $"""
        Usage: freeflow-router [options]

        Introduces the two ends of a TCP connection on this host to each other, so that their bytes go through shared memory.

          --socket PATH                     where to listen; default $FREEFLOW_SOCKET or /run/freeflow/router.sock
          --ring-bytes N                    data bytes of one direction of a ring, a power of two; default 1048576
          --fabric-ring-bytes N             the same of a ring that is mirrored to another host, a quarter of it where there are many; default 2097152
          --max-sessions-per-user N         connected processes of one user; default 16384
          --max-connections-per-user N      shown ends of connections of one user; default 131072
          --max-rings-per-user N            ends of rings of one user; default 65536
          --max-ring-bytes-per-user N       memory the rings of one user could come to; default 274877906944
          --nice N                          its priority, from -20 to 19, the first to run and the last (setpriority(2)); default -10 where it may
          --state FOLDER                    where it writes down which rings programs have, so that after a kill the next router can send what sleeping programs left in them; of this
                                            router alone, and not seen by containers
          --policy FILE                     who may be accelerated to whom, over what, and how fast; read again when it changes (docs/policy.md)
        {ClusterOptions.Usage}
          --verbose                         a line for every session, pair and refusal
          --config FILE                     more options, one a line without dashes, the value behind it; SIGHUP: read it again (verbose changes at once,
                                            the others with the next start), and certificates
          --version, --help
        """;

    public string SocketPath { get; init; } = Environment.GetEnvironmentVariable("FREEFLOW_SOCKET") is { Length: > 0 } path ? path : Protocol.DefaultSocketPath;
    public ulong RingBytes { get; init; } = 1 << 20;
    public ulong FabricRingBytes { get; init; } = DefaultFabricRingBytes;
    public ulong MaximumSessionsPerUser { get; init; } = 16384;
    public ulong MaximumConnectionsPerUser { get; init; } = 131072;
    public ulong MaximumRingsPerUser { get; init; } = 65536;
    public ulong MaximumRingBytesPerUser { get; init; } = 256UL << 30;
    public int? Nice { get; init; }
    public string? StateFolder { get; init; }
    public string? PolicyPath { get; init; }
    public bool Verbose { get; init; }
    public ClusterOptions Cluster { get; init; } = new();

    /// <summary>The command line with the options of <c>--config</c>'s file in it; throws <see cref="RouterException"/> with one line.</summary>
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
    public static RouterOptions Parse(ReadOnlySpan<string> arguments)
    {
        RouterOptions options = new();
        Dictionary<string, string> cluster = [];
        for (int i = 0; i < arguments.Length; i++)
        {
            string name = arguments[i];
            string? value = null;
            int equals = name.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0) { value = name[(equals + 1)..]; name = name[..equals]; }
            if (name == "--verbose" && value is null) { options = options with { Verbose = true }; continue; }
            if (name == ClusterOptions.InsecureFabric && value is null) { cluster[name] = ""; continue; }
            if (name is not ("--socket" or "--ring-bytes" or "--fabric-ring-bytes" or "--max-sessions-per-user" or "--max-connections-per-user" or "--max-rings-per-user" or "--max-ring-bytes-per-user" or "--nice" or "--state" or "--policy") && !ClusterOptions.Knows(name))
            {
                throw new RouterException($"unknown option {arguments[i]}; freeflow-router --help lists them.");
            }
            if (value is null)
            {
                if (i + 1 == arguments.Length) throw new RouterException($"{name} needs a value after it.");
                value = arguments[++i];
            }
            if (ClusterOptions.Knows(name)) { cluster[name] = value; continue; }
            options = name switch
            {
                "--socket" => options with { SocketPath = value.Length > 0 ? value : throw new RouterException("--socket needs a path; it was empty.") },
                "--ring-bytes" => options with { RingBytes = Capacity(name, value) },
                "--fabric-ring-bytes" => options with { FabricRingBytes = Capacity(name, value) },
                "--max-sessions-per-user" => options with { MaximumSessionsPerUser = Number(name, value) },
                "--max-connections-per-user" => options with { MaximumConnectionsPerUser = Number(name, value) },
                "--state" => options with { StateFolder = value.Length > 0 ? value : throw new RouterException("--state needs a folder; it was empty.") },
                "--nice" => options with { Nice = Priority(name, value) },
                "--policy" => options with { PolicyPath = value },
                "--max-rings-per-user" => options with { MaximumRingsPerUser = Number(name, value) },
                _ => options with { MaximumRingBytesPerUser = Number(name, value) },
            };
        }
        return options with { Cluster = ClusterOptions.Read(cluster, Environment.GetEnvironmentVariable) };
    }

    private static ulong Number(string name, string value) =>
        ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) ? number : throw new RouterException($"{name} {value}: give a whole number, 0 or more.");

    private static int Priority(string name, string value) =>
        int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) && number is >= Router.Priority.Most and <= Router.Priority.Least
            ? number
            : throw new RouterException($"{name} {value}: give a whole number from {Router.Priority.Most} to {Router.Priority.Least}.");

    private static ulong Capacity(string name, string value) =>
        ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) && RingLayout.IsValidCapacity(number)
            ? number
            : throw new RouterException($"{name} {value}: give a power of two from {RingLayout.MinimumCapacity} to {RingLayout.MaximumCapacity}.");
}
