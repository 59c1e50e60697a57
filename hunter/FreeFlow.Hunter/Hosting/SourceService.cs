using System;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Hunter.Kubernetes;
using FreeFlow.Hunter.Logging;
using FreeFlow.Hunter.Sources;
using FreeFlow.Locations.Publishing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FreeFlow.Hunter.Hosting;

/// <summary>
/// Follows the sources and publishes what they find. No source ends by itself: one that does has a fault, which ends the hunter.
/// </summary>
internal sealed class SourceService : IHostedService, IDisposable
{
    private readonly HunterOptions _options;
    private readonly Publisher _publisher;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly ILogger _log;
    private readonly IAddressSource[] _sources;
    private readonly Collector _collector;
    private readonly CancellationTokenSource _stop = new();
    private Task[] _running = [];

    /// <inheritdoc cref="Collector.Found"/>
    public (int Addresses, bool IsComplete) Found => _collector.Found;

    public SourceService(HunterOptions options, Publisher publisher, IHostApplicationLifetime lifetime, ILogger log)
    {
        (_options, _publisher, _lifetime, _log) = (options, publisher, lifetime, log);
        _sources = [.. options.Sources.Select(Open)];
        _collector = new Collector(_sources.Length, options.HostAddress, options.Prefixes, publisher);
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _collector.SetNode(_options.HostAddress, _options.NodeName);
        _publisher.Start();
        string sources = string.Join(", ", _options.Sources), endpoints = string.Join(", ", _options.Etcd.Endpoints.Select(uri => uri.Authority));
        _log.Publishes(_options.NodeName, _options.HostAddress, sources, endpoints);
        _running = [.. _sources.Select(source => Task.Run(() => source.RunAsync(_collector, _stop.Token), CancellationToken.None))];
        _ = Task.WhenAny(_running).ContinueWith(_ => _lifetime.StopApplication(), TaskScheduler.Default);
        return Task.CompletedTask;
    }

    /// <summary>Throws the fault of a source, if one has ended by it.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_running).ConfigureAwait(false);
        _log.Stopped();
    }

    public void Dispose() => _stop.Dispose();

    private IAddressSource Open(string name) => name switch
    {
        "kubernetes" => new KubernetesSource(KubernetesAccess.Find(_options.KubeConfig), _options, _options.HostAddress, _log.Told),
        "netns" => new NamespaceSource(_log.Told),
        "cni" => new CniSource(CniSource.DefaultFolder, _log.Told),
        _ => new FileSource(name["file:".Length..], _log.Told),
    };
}
