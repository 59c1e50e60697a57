namespace FreeFlow.Bench.Hosts;

/// <summary>What one run gave.</summary>
/// <param name="Cpu">Processor time of the whole machine, kernel and routers included, for one operation, in the case's unit.</param>
/// <param name="FabricBytes">Bytes that the routers carried meanwhile.</param>
/// <param name="Values">One value for each of the case's metrics.</param>
internal sealed record HostSample(double Cpu, long FabricBytes, params double[] Values);
