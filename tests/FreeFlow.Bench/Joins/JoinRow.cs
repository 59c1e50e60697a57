using System;
using System.Collections.Generic;

namespace FreeFlow.Bench.Joins;

/// <summary>How long connections waited for their rings while so many processes wanted to run.</summary>
/// <param name="Load">Processes that never sleep.</param>
/// <param name="Microseconds">Each connection's, the shortest first.</param>
/// <param name="Without">Connections that had none after two seconds.</param>
internal sealed record JoinRow(int Load, IReadOnlyList<double> Microseconds, int Without)
{
    /// <summary>What 99 of 100 wait at most, in ms, however busy the machine.</summary>
    internal const double Allowed = 20;

    internal double Milliseconds(double part) => Microseconds.Count == 0 ? double.PositiveInfinity : Microseconds[Math.Min(Microseconds.Count - 1, (int)(part * Microseconds.Count))] / 1000;

    internal bool Reached => Without == 0 && Milliseconds(0.99) <= Allowed;
}
