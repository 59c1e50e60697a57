using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Prometheus;

namespace FreeFlow.Metrics;

/// <summary>The metrics of one daemon. Not thread-safe: whoever writes it out makes them first.</summary>
public sealed class MetricsRegistry
{
    private readonly CollectorRegistry _registry = Prometheus.Metrics.NewCustomRegistry();
    private readonly MetricFactory _factory;

    public MetricsRegistry() => _factory = Prometheus.Metrics.WithCustomRegistry(_registry);

    /// <summary>What only grows; its name ends in _total.</summary>
    public Counter Counter(string name, string help, params string[] labels) => _factory.CreateCounter(name, help, labels);

    /// <summary>What grows and shrinks.</summary>
    public Gauge Gauge(string name, string help, params string[] labels) => _factory.CreateGauge(name, help, labels);

    /// <summary>These are all the values of a gauge with labels: others, of earlier, go.</summary>
    public static void Replace(Gauge gauge, IReadOnlyDictionary<string[], double> values)
    {
        RemoveOthers(gauge, old => values.Keys.Any(key => key.AsEnumerable().SequenceEqual(old)));
        foreach ((string[] labels, double value) in values) gauge.WithLabels(labels).Set(value);
    }

    /// <summary>Removes the values whose labels name nothing any more.</summary>
    public static void RemoveOthers<TChild>(Collector<TChild> metric, Func<string[], bool> stays)
        where TChild : ChildBase
    {
        foreach (string[] labels in metric.GetAllLabelValues().Where(labels => !stays(labels)).ToArray()) metric.RemoveLabelled(labels);
    }

    /// <summary>Writes all in Prometheus' text format, version 0.0.4.</summary>
    public async Task<byte[]> WriteAsync(CancellationToken cancellationToken)
    {
        using MemoryStream text = new();
        await _registry.CollectAndExportAsTextAsync(text, cancellationToken).ConfigureAwait(false);
        return text.ToArray();
    }
}
