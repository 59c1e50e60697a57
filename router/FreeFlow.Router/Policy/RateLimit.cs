using System;
using System.Diagnostics;
using System.Threading;

namespace FreeFlow.Router.Policy;

/// <summary>A token bucket for what one virtual IP sends, or a host, however many connections and links it is spread over. Thread-safe.</summary>
internal sealed class RateLimit
{
    /// <summary>Less than this is not worth a frame, unless the bucket holds no more.</summary>
    private const double Least = 4096;

    private readonly Lock _lock = new();
    private readonly double _bytesPerTick;
    private readonly double _burst;
    private double _tokens;
    private long _filled;

    /// <param name="bitsPerSecond">The rate, of payload.</param>
    /// <param name="burstBytes">What may go at once after a silence; 0: what the rate makes in a hundredth of a second, and no less than 16 KiB.</param>
    public RateLimit(long bitsPerSecond, long burstBytes = 0)
    {
        BitsPerSecond = bitsPerSecond;
        _bytesPerTick = bitsPerSecond / 8.0 / Stopwatch.Frequency;
        _burst = burstBytes > 0 ? burstBytes : Math.Max(16384, bitsPerSecond / 800.0);
        _tokens = _burst;
        _filled = Stopwatch.GetTimestamp();
    }

    public long BitsPerSecond { get; }

    /// <summary>
    /// How many bytes may go now, at most <paramref name="wanted"/>; 0: none, ask again in <paramref name="pauseMilliseconds"/>. <paramref name="onCredit"/>: another burst beyond what there is,
    /// for which everybody waits afterwards.
    /// </summary>
    public ulong Take(ulong wanted, out int pauseMilliseconds, bool onCredit = false)
    {
        pauseMilliseconds = 0;
        lock (_lock)
        {
            long now = Stopwatch.GetTimestamp();
            _tokens = Math.Min(_burst, _tokens + ((now - _filled) * _bytesPerTick));
            _filled = now;
            double available = _tokens + (onCredit ? _burst : 0), least = Math.Min(Math.Min(Least, _burst), wanted);
            if (available < least)
            {
                pauseMilliseconds = (int)Math.Ceiling((least - available) / _bytesPerTick * 1000 / Stopwatch.Frequency);
                return 0;
            }
            ulong taken = (ulong)Math.Min(available, wanted);
            _tokens -= taken;
            return taken;
        }
    }

    /// <summary>Milliseconds after which who has just had some may ask again: a moment later than those who were refused meanwhile, so that several share alike.</summary>
    public int PauseAfterTurn()
    {
        lock (_lock) return 1 + (int)Math.Ceiling(Math.Max(0, Math.Min(Least, _burst) - _tokens) / _bytesPerTick * 1000 / Stopwatch.Frequency);
    }

    /// <summary>Gives back what was taken and not used.</summary>
    public void GiveBack(ulong bytes)
    {
        lock (_lock) _tokens += bytes;
    }
}
