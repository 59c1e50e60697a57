using System;
using System.Diagnostics;
using System.Threading;

namespace FreeFlow.Router.Policy;

/// <summary>How much of what a virtual IP is to get at least it has not got yet, over all its connections and links. Thread-safe.</summary>
internal sealed class Guarantee(long bitsPerSecond)
{
    private readonly Lock _lock = new();
    private readonly double _bytesPerTick = bitsPerSecond / 8.0 / Stopwatch.Frequency;

    // What is owed for longer than this was not wanted when it was due.
    private readonly double _most = Math.Max(65536, bitsPerSecond / 800.0);
    private double _owed;
    private long _filled = Stopwatch.GetTimestamp();

    public long BitsPerSecond { get; } = bitsPerSecond;

    /// <summary>It has had less than it is to get; if not, it may have by <paramref name="pauseMilliseconds"/>.</summary>
    public bool IsOwed(out int pauseMilliseconds)
    {
        lock (_lock)
        {
            long now = Stopwatch.GetTimestamp();
            _owed = Math.Min(_most, _owed + ((now - _filled) * _bytesPerTick));
            _filled = now;
            pauseMilliseconds = _owed > 0 ? 0 : (int)Math.Ceiling(-_owed / _bytesPerTick * 1000 / Stopwatch.Frequency);
            return _owed > 0;
        }
    }

    /// <summary>It has got so much: as owed, or in its turn like everybody, which it need not pay back later.</summary>
    public void Spend(ulong bytes, bool asOwed)
    {
        lock (_lock) _owed = asOwed ? _owed - bytes : Math.Max(Math.Min(_owed, 0), _owed - bytes);
    }
}
