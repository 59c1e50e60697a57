namespace FreeFlow.Bench.Scale;

/// <summary>One line of the table.</summary>
/// <param name="What">What was measured.</param>
/// <param name="Value">The figure.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Most">What is asked; null: nothing.</param>
internal sealed record ScaleFigure(string What, double Value, string Unit, double? Most = null);
