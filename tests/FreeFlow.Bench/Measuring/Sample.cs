namespace FreeFlow.Bench.Measuring;

/// <summary>What one run of a case by one road gave.</summary>
/// <param name="CpuMicroseconds">User and system time of both sides for one operation, in µs; NaN when there is no such figure.</param>
/// <param name="RingBytes">Bytes that went through rings, at least.</param>
/// <param name="Values">One value for each of the case's metrics.</param>
internal sealed record Sample(double CpuMicroseconds, long RingBytes, params double[] Values);
