namespace FreeFlow.Bench;

/// <summary>What one program of perftest said.</summary>
/// <param name="Program">Its name.</param>
/// <param name="What">What it measures.</param>
/// <param name="Figure">An average, or a typical time.</param>
/// <param name="Unit">Of the figure.</param>
internal sealed record VerbsDemoRow(string Program, string What, double Figure, string Unit);
