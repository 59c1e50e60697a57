using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Locations.Publishing;
using FreeFlow.Metrics;
using Prometheus;

namespace FreeFlow.Hunter.Hosting;

/// <summary>The hunter's figures for Prometheus.</summary>
internal sealed class HunterMetrics : IMetricsSource
{
    private readonly SourceService _sources;
    private readonly Publisher _publisher;
    private readonly Gauge _addresses, _complete, _entries, _answers, _turned;

    public HunterMetrics(MetricsRegistry registry, SourceService sources, Publisher publisher)
    {
        (_sources, _publisher) = (sources, publisher);
        _addresses = registry.Gauge("freeflow_hunter_addresses", "Addresses that the sources have found on this node.");
        _complete = registry.Gauge("freeflow_hunter_sources_complete", "1 once every source has told what it found at the start.");
        _entries = registry.Gauge("freeflow_hunter_entries", "Entries in etcd, by what has become of them.", "state");
        _answers = registry.Gauge("freeflow_hunter_etcd_up", "1 while etcd takes the entries, 0 after an error.");
        _turned = registry.Gauge("freeflow_hunter_last_turn_seconds", "How long ago the hunter last looked after its entries.");
    }

    /// <inheritdoc/>
    public Task RefreshAsync(CancellationToken cancellationToken)
    {
        (int addresses, bool complete) = _sources.Found;
        PublisherStatus status = _publisher.Status;
        _addresses.Set(addresses);
        _complete.Set(complete ? 1 : 0);
        _entries.WithLabels("held").Set(status.Held);
        _entries.WithLabels("lost").Set(status.Lost);
        _entries.WithLabels("waiting").Set(status.Waiting);
        _answers.Set(status.Problem is null ? 1 : 0);
        _turned.Set(_publisher.SinceLastTurn.TotalSeconds);
        return Task.CompletedTask;
    }
}
