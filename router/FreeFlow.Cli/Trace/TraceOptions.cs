using System;

namespace FreeFlow.Cli.Trace;

/// <summary>What stands after <c>freeflow trace</c>.</summary>
/// <param name="Capture">Where to write packets, "-": standard output; null: say in words what becomes of connections.</param>
/// <param name="Process">Connections of this process only; 0: of all.</param>
/// <param name="Program">Connections of programs of this name only; null: of all.</param>
/// <param name="Port">Connections with this port only; 0: all.</param>
/// <param name="Time">How long; null: until it is stopped.</param>
internal sealed record TraceOptions(string? Capture, int Process = 0, string? Program = null, int Port = 0, TimeSpan? Time = null);
