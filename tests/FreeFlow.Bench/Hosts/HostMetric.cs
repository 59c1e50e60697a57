using System;
using System.Collections.Generic;

namespace FreeFlow.Bench.Hosts;

/// <summary>One figure of a case, and what the fabric is to reach.</summary>
/// <param name="Name">Name of the row.</param>
/// <param name="Unit">Unit of the figure.</param>
/// <param name="Target">For the table; empty: nothing is asked.</param>
/// <param name="Reached">Decides from the medians.</param>
internal sealed record HostMetric(string Name, string Unit, string Target, Func<IReadOnlyDictionary<HostRoad, double>, bool> Reached);
