using FreeFlow.Metrics;
using FreeFlow.Router.Cluster;
using FreeFlow.Router.Observe;
using FreeFlow.Router.Observe.Metrics;
using FreeFlow.Router.Sessions;
using Microsoft.Extensions.DependencyInjection;

namespace FreeFlow.Router.Hosting;

/// <summary>What --metrics adds to the router.</summary>
internal static class MetricsServices
{
    public static void AddMetrics(this IServiceCollection services, RouterOptions options)
    {
        if (options.Metrics is not { } address) return;
        services.AddHostedService(parts =>
        {
            MetricsRegistry registry = new();
            SessionMessages messages = parts.GetRequiredService<SessionMessages>();
            EventLoop loop = parts.GetRequiredService<EventLoop>();
            RouterMetrics metrics = new(
                registry, () => messages.Families, work => LoopQuestion.AskAsync(loop.Post, work), parts.GetRequiredService<Statistics>(),
                parts.GetRequiredService<Broker>(), parts.GetRequiredService<ClusterMembership>(), options);
            return new MetricsService(address, registry, metrics, StatusReport.Version, line => new RouterException(line));
        });
    }
}
