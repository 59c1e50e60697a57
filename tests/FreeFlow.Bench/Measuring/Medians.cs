namespace FreeFlow.Bench.Measuring;

/// <summary>Medians of one metric over the runs, in its unit; NaN where there is no such figure.</summary>
/// <param name="Kernel">Plain over TCP.</param>
/// <param name="Unix">Plain over AF_UNIX.</param>
/// <param name="FreeFlow">Under FreeFlow.</param>
/// <param name="Ratio">How many times better FreeFlow is than kernel TCP, whichever direction is better.</param>
/// <param name="KernelWorst">The worst plain run.</param>
internal sealed record Medians(double Kernel, double Unix, double FreeFlow, double Ratio, double KernelWorst);
