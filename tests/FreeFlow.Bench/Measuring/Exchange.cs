using FreeFlow.Lab;

namespace FreeFlow.Bench.Measuring;

/// <summary>What a client left after talking to a server.</summary>
/// <param name="Client">The client's end.</param>
/// <param name="Server">The server; it may still be running, or may have ended with its client.</param>
/// <param name="CpuSeconds">User and system time of both sides meanwhile.</param>
/// <param name="RingBytes">Bytes sent into rings meanwhile, at least.</param>
internal sealed record Exchange(CompletedProcess Client, LabProcess Server, double CpuSeconds, long RingBytes);
