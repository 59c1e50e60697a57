using System;

namespace FreeFlow.Differential.Running;

/// <summary>A difference that is none.</summary>
/// <param name="Reason">Why no program may rely on it.</param>
/// <param name="Covers">Whether it explains what two roads answered at a step.</param>
public sealed record Tolerance(string Reason, Func<Step, bool> Covers);
