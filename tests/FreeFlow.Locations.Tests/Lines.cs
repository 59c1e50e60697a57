using System.Collections.Concurrent;
using System.Linq;

namespace FreeFlow.Locations.Tests;

/// <summary>The log of what is tested.</summary>
internal sealed class Lines
{
    private readonly ConcurrentQueue<string> _lines = new();

    public void Add(string line) => _lines.Enqueue(line);

    public int Count(string text) => _lines.Count(line => line.Contains(text, System.StringComparison.Ordinal));

    public override string ToString() => string.Join("\n", _lines);
}
