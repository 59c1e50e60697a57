using System;
using System.Collections.Generic;
using System.Linq;

namespace FreeFlow.Bench.Rates;

/// <summary>What a limited virtual IP sent in each second.</summary>
/// <param name="Where">One host, or between two.</param>
/// <param name="Streams">Connections that share the rate.</param>
/// <param name="Limit">What the policy says, in Mbit/s.</param>
/// <param name="Seconds">What arrived in each second, in Mbit/s.</param>
internal sealed record RateRow(string Where, int Streams, double Limit, IReadOnlyList<double> Seconds)
{
    /// <summary>What may be missing or too much in any second, in %.</summary>
    internal const double Allowed = 5;

    internal double Mean => Seconds.Average();

    /// <summary>The second that was farthest from the limit, in % of it.</summary>
    internal double Farthest => Seconds.Select(second => 100 * (second - Limit) / Limit).MaxBy(Math.Abs);

    internal bool Reached => Math.Abs(Farthest) <= Allowed;
}
