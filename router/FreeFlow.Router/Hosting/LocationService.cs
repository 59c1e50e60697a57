using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Router.Cluster;
using Microsoft.Extensions.Hosting;

namespace FreeFlow.Router.Hosting;

/// <summary>
/// Learns which host a virtual IP lives on, and publishes this one, once all that listens to it is there. The container disposes of the
/// membership.
/// </summary>
internal sealed class LocationService(ClusterMembership cluster) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        cluster.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
