using System;
using System.CommandLine;
using System.Globalization;
using FreeFlow.Arguments;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Metrics;
using FreeFlow.Router.Cluster;

namespace FreeFlow.Router;

/// <summary>How the command line of freeflow-router is written.</summary>
internal sealed class RouterSyntax : ProgramCommand
{
    private readonly ValueOption<string> _socket = Text(
        "--socket", "PATH", $"where to listen; default $FREEFLOW_SOCKET or {Protocol.DefaultSocketPath}", "a path");
    private readonly ValueOption<ulong?> _ringBytes = Capacity(
        "--ring-bytes", "data bytes of one direction of a ring, a power of two; default 1048576");
    private readonly ValueOption<ulong?> _fabricRingBytes = Capacity(
        "--fabric-ring-bytes",
        "the same of a ring that is mirrored to another host, a quarter of it where there are many; default 2097152");
    private readonly ValueOption<ulong?> _maximumSessions = Number(
        "--max-sessions-per-user", "connected processes of one user; default 16384");
    private readonly ValueOption<ulong?> _maximumConnections = Number(
        "--max-connections-per-user", "shown ends of connections of one user; default 131072");
    private readonly ValueOption<ulong?> _maximumRings = Number(
        "--max-rings-per-user", "ends of rings of one user; default 65536");
    private readonly ValueOption<ulong?> _maximumRingBytes = Number(
        "--max-ring-bytes-per-user", "memory the rings of one user could come to; default 274877906944");
    private readonly ValueOption<int?> _nice = new(
        "--nice", "N", "its priority, from -20 to 19, the first to run and the last (setpriority(2)); default -10 where it may", Nice);
    private readonly ValueOption<string> _state = Text(
        "--state", "FOLDER", "where it writes down which rings programs have, so that after a kill the next router can send what sleeping " +
        "programs left in them; of this router alone, and not seen by containers", "a folder");
    private readonly ValueOption<string> _policy = new(
        "--policy", "FILE", "who may be accelerated to whom, over what, and how fast; read again when it changes (docs/policy.md)",
        path => path);
    private readonly ValueOption<MetricsAddress> _metrics = new(
        "--metrics", "ADDRESS:PORT|unix:PATH", "where to serve metrics to Prometheus, at /metrics (docs/metrics.md); default nowhere",
        MetricsAddress.Parse);
    private readonly ClusterSyntax _cluster = new();
    private readonly FlagOption _verbose = new("--verbose", "a line for every session, pair and refusal");

    // OptionFile puts the options of the file in its place.
    private readonly ValueOption<string> _config = new(
        "--config", "FILE", "more options, one a line without dashes, the value behind it; SIGHUP: read it again (verbose changes at once, " +
        "the others with the next start), and certificates", path => path);

    public RouterSyntax() : base(
        "freeflow-router",
        "Introduces the two ends of a TCP connection on this host to each other, so that their bytes go through shared memory.")
    {
        Option[] limits = [_maximumSessions, _maximumConnections, _maximumRings, _maximumRingBytes];
        Option[] own = [_socket, _ringBytes, _fabricRingBytes, .. limits, _nice, _state, _policy, _metrics];
        foreach (Option option in (Option[])[.. own, .. _cluster.Options, _verbose, _config]) Options.Add(option);
        AddCommonOptions();
    }

    /// <summary>Makes sense of what was given; throws <see cref="RouterException"/> with one line.</summary>
    public RouterOptions Read(ParseResult read)
    {
        RouterOptions options = new();
        return options with
        {
            SocketPath = read.GetValue(_socket) ?? options.SocketPath,
            RingBytes = read.GetValue(_ringBytes) ?? options.RingBytes,
            FabricRingBytes = read.GetValue(_fabricRingBytes) ?? options.FabricRingBytes,
            MaximumSessionsPerUser = read.GetValue(_maximumSessions) ?? options.MaximumSessionsPerUser,
            MaximumConnectionsPerUser = read.GetValue(_maximumConnections) ?? options.MaximumConnectionsPerUser,
            MaximumRingsPerUser = read.GetValue(_maximumRings) ?? options.MaximumRingsPerUser,
            MaximumRingBytesPerUser = read.GetValue(_maximumRingBytes) ?? options.MaximumRingBytesPerUser,
            Nice = read.GetValue(_nice),
            StateFolder = read.GetValue(_state),
            PolicyPath = read.GetValue(_policy),
            Metrics = read.GetValue(_metrics),
            Verbose = read.GetValue(_verbose),
            Cluster = _cluster.Read(read),
        };
    }

    private static ValueOption<string> Text(string name, string value, string description, string kind) =>
        new(name, value, description, text => text.Length > 0 ? text : throw new FormatException($"give {kind}; it was empty."));

    private static ValueOption<ulong?> Number(string name, string description) => new(name, "N", description, value =>
        ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number)
            ? number
            : throw new FormatException("give a whole number, 0 or more."));

    private static ValueOption<ulong?> Capacity(string name, string description) => new(name, "N", description, value =>
        ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) && RingLayout.IsValidCapacity(number)
            ? number
            : throw new FormatException($"give a power of two from {RingLayout.MinimumCapacity} to {RingLayout.MaximumCapacity}."));

    private static int? Nice(string value) =>
        int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)
        && number is >= Priority.Most and <= Priority.Least
            ? number
            : throw new FormatException($"give a whole number from {Priority.Most} to {Priority.Least}.");
}
