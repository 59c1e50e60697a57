using FreeFlow.Lab;

namespace FreeFlow.Bench.Hosts;

/// <summary>What a client left after talking to a server on another host.</summary>
/// <param name="Client">The client's end.</param>
/// <param name="Server">The server; it may still be running.</param>
/// <param name="BusySeconds">What the whole machine's processors did meanwhile.</param>
/// <param name="FabricBytes">Bytes that the two routers carried meanwhile; each counts a byte once.</param>
internal sealed record HostExchange(CompletedProcess Client, LabProcess Server, double BusySeconds, long FabricBytes);
