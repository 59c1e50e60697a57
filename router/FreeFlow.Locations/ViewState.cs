using System;
using System.Diagnostics;

namespace FreeFlow.Locations;

/// <summary>How good a view is, and one log line whenever that changes.</summary>
internal sealed class ViewState(string source, LocationTable table, Action<string> log)
{
    private readonly System.Threading.Lock _lock = new();
    private LocationState _state = LocationState.Starting;
    private long _lastCurrent = Stopwatch.GetTimestamp();
    private bool _said;
    private string? _detail;
    private long _revision;

    /// <summary>True once there was a whole picture.</summary>
    public bool HasLearnt { get; private set; }

    public long Revision { set { lock (_lock) _revision = Math.Max(_revision, value); } }

    public LocationView View
    {
        get
        {
            lock (_lock)
            {
                TimeSpan age = _state == LocationState.Stale ? Stopwatch.GetElapsedTime(_lastCurrent) : TimeSpan.Zero;
                return new(source, _state, age, table.Addresses, table.Hosts, _revision, _detail) { Identities = table.Identities.Counts.Addresses };
            }
        }
    }

    public void Learnt() => HasLearnt = true;

    /// <summary>The view follows its source.</summary>
    /// <param name="where">Endpoint or file.</param>
    /// <param name="revision">Of the source; may be lower than before if the source is another one.</param>
    public void Current(string where, long revision)
    {
        lock (_lock)
        {
            bool news = _state != LocationState.Current;
            _state = LocationState.Current;
            _detail = where;
            _revision = revision;
            _said = false;
            if (!news) return;
        }
        log($"locations from {View}");
    }

    /// <summary>The source does not answer.</summary>
    /// <param name="reason">For the operator.</param>
    /// <param name="lastHeard">Stopwatch timestamp of the source's last sign of life: the view is as old as that.</param>
    public void Outage(string reason, long lastHeard)
    {
        lock (_lock)
        {
            _detail = reason;
            if (_state == LocationState.Current)
            {
                _state = LocationState.Stale;
                _lastCurrent = lastHeard;
            }
            if (_said) return;
            _said = true;
        }
        log(HasLearnt ? $"locations from {source} are no longer current, the last view stays: {reason}" : $"no locations from {source} yet: {reason}");
    }
}
