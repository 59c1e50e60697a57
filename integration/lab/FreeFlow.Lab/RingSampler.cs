using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;

namespace FreeFlow.Lab;

/// <summary>
/// Asks the router again and again while programs run, because a connection's counters go with it, unless its process ends. Counts what it has seen: the last slice of a
/// connection that closed between two looks is missing, so every figure is a lower bound.
/// </summary>
public sealed class RingSampler : IDisposable
{
    private readonly string _socketPath;
    private readonly Dictionary<string, long> _sent = [];
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _end = new();

    /// <summary>Begins to look every <paramref name="period"/> (default 400 ms).</summary>
    public RingSampler(string socketPath, TimeSpan? period = null)
    {
        _socketPath = socketPath;
        Look();
        (Start, KeptAtStart) = (Total, Kept);
        _thread = new Thread(() =>
        {
            while (!_end.Wait(period ?? TimeSpan.FromMilliseconds(400))) Look();
        })
        { IsBackground = true, Name = "ring sampler" };
        _thread.Start();
    }

    /// <summary>Bytes sent into rings since this sampler began, at least.</summary>
    public long RingBytes => Math.Max(Total - Start, Kept - KeptAtStart);

    private long Start { get; }

    private long KeptAtStart { get; }

    /// <summary>The router's own sum, with the processes that have ended.</summary>
    private long Kept { get; set; }

    private long Total
    {
        get
        {
            lock (_sent) return _sent.Values.Sum();
        }
    }

    /// <summary>Looks once more, now.</summary>
    public void Look()
    {
        RouterStatus? status = RouterStatus.TryQuery(_socketPath);
        if (status is null) return;
        lock (_sent)
        {
            Kept = Math.Max(Kept, status.RingBytesTotal);
            foreach (ProcessStatus process in status.Processes)
            {
                foreach (ConnectionStatus connection in process.Connections)
                {
                    string key = $"{process.Pid} {connection.Local} {connection.Remote}";
                    _sent[key] = Math.Max(_sent.GetValueOrDefault(key), connection.RingSent);
                }
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _end.Set();
        _thread.Join();
        _end.Dispose();
    }
}
