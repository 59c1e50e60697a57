using System.IO.Pipelines;

namespace FreeFlow.DevicePlugin.Http2;

/// <summary>The two directions of a connection.</summary>
internal sealed record DuplexPipe(PipeReader Input, PipeWriter Output) : IDuplexPipe;
