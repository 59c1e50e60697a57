using System;

namespace FreeFlow.Cli.Top;

/// <summary>What stands after <c>freeflow top</c>.</summary>
/// <param name="Router">Path of the router's socket.</param>
/// <param name="Interval">Time between two looks.</param>
internal sealed record TopOptions(string Router, TimeSpan Interval);
