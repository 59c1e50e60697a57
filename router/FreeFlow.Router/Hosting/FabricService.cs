using System;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Locations;
using FreeFlow.Router.Cluster;
using FreeFlow.Router.Fabric;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Observe;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Sessions;
using Microsoft.Extensions.Hosting;

namespace FreeFlow.Router.Hosting;

/// <summary>The ways to the other hosts' routers, if the options name any, and what those read about this one.</summary>
internal sealed class FabricService(RouterOptions options, ClusterMembership cluster, Broker broker, EventLoop loop, RouterDaemon daemon, Log log)
    : IHostedService, IDisposable
{
    private TcpFabric? _fabric;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _fabric = Open(options.Cluster);
        if (_fabric is not null) daemon.CertificateReloads += _fabric.ReadCertificates;
        // Without transports nobody can stream to this router, but everybody sees that it is there.
        string[] capabilities = _fabric is null ? [] : ["tcp"];
        cluster.Publish(new RouterDescription { Port = options.Cluster.FabricPort, Capabilities = capabilities, Version = StatusReport.Version });
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _fabric?.Dispose();

    private TcpFabric? Open(ClusterOptions options)
    {
        if (options.Source == LocationSource.None) return null;
        if (!options.HasFabric)
        {
            log.FabricLacksCertificates(ClusterOptions.InsecureFabric);
            return null;
        }
        if (cluster.Host == default)
        {
            log.FabricLacksHost();
            return null;
        }
        InternetAddress host = new(cluster.Host.Value);
        TcpFabric fabric = new(
            new FabricOptions
            {
                Host = host, Port = options.FabricPort, Insecure = options.IsFabricInsecure, Congestion = options.FabricCongestion,
                AuthorityPath = options.FabricCertificates?[0], CertificatePath = options.FabricCertificates?[1],
                KeyPath = options.FabricCertificates?[2],
            },
            log);
        broker.Remote = new RemoteBroker(fabric, cluster.Locations, host, broker.Pairing, broker, log, loop.Post);
        fabric.Start(broker.Remote);
        string insecure = options.IsFabricInsecure ? ", without certificates" : "";
        log.FabricListens(host, options.FabricPort, insecure);
        return fabric;
    }
}
