using System;
using System.Globalization;

namespace FreeFlow.Bench.Measuring;

/// <summary>What a figure is to reach.</summary>
/// <param name="Text">For the table.</param>
/// <param name="Reached">Decides from the medians (kernel, unix or NaN, freeflow) and the ratio.</param>
internal sealed record Target(string Text, Func<Medians, bool> Reached)
{
    /// <summary>At least so many times better than kernel TCP.</summary>
    internal static Target Times(double factor) => new(string.Create(CultureInfo.InvariantCulture, $"≥ {factor}× kernel"), medians => medians.Ratio >= factor);

    /// <summary>At least so many times better than kernel TCP, and not worse than AF_UNIX (for figures where more is better).</summary>
    internal static Target TimesAndUnix(double factor) =>
        new(string.Create(CultureInfo.InvariantCulture, $"≥ {factor}× kernel, ≥ AF_UNIX"), medians => medians.Ratio >= factor && !(medians.FreeFlow < medians.Unix));

    /// <summary>At most so much, in the figure's unit.</summary>
    internal static Target AtMost(double limit, string unit) => new(string.Create(CultureInfo.InvariantCulture, $"≤ {limit} {unit}"), medians => medians.FreeFlow <= limit);

    /// <summary>At most so much more than the plain program.</summary>
    internal static Target AtMostMore(double limit, string unit) =>
        new(string.Create(CultureInfo.InvariantCulture, $"≤ +{limit} {unit}"), medians => medians.FreeFlow - medians.Kernel <= limit);

    /// <summary>No worse than the slowest plain run, or within 3 % of the plain median.</summary>
    internal static Target WithinNoise { get; } = new("within noise", medians => medians.FreeFlow <= Math.Max(medians.KernelWorst, 1.03 * medians.Kernel));
}
