namespace FreeFlow.Bench.Measuring;

/// <summary>One figure that a case yields.</summary>
/// <param name="Name">Name of the row.</param>
/// <param name="Unit">Unit of the figure.</param>
/// <param name="MoreIsBetter">Whether a greater figure is the better one.</param>
/// <param name="Target">What it is to reach.</param>
internal sealed record Metric(string Name, string Unit, bool MoreIsBetter, Target Target);
