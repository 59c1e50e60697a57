using System;
using FreeFlow.Router.Cluster;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Observe;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Policy;
using FreeFlow.Router.Sessions;
using FreeFlow.Service;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FreeFlow.Router.Hosting;

/// <summary>The router's parts. The container disposes of each before the parts that it was made of.</summary>
internal static class RouterServices
{
    /// <summary>
    /// Adds the parts, and the services in the order of their start: the event loop serves when everything that it needs is there.
    /// </summary>
    /// <param name="services">The host's.</param>
    /// <param name="options">What was read at the start.</param>
    /// <param name="arguments">The command line, which may name a file that SIGHUP makes the router read again.</param>
    /// <param name="words">The command line with the options of that file in it, as they were read at the start.</param>
    public static void AddRouter(this IServiceCollection services, RouterOptions options, string[] arguments, string[] words)
    {
        services.AddSingleton(options);
        Log log = new(options.Verbose);
        services.AddSingleton(log);
        services.AddSingleton<ILoggerProvider>(log);
        services.AddSingleton<Statistics>();
        services.AddSingleton<KernelWitness>();
        services.AddSingleton<IKernelWitness>(parts => parts.GetRequiredService<KernelWitness>());
        services.AddSingleton(parts => new ClusterMembership(options.Cluster, parts.GetRequiredService<Log>()));
        services.AddSingleton(_ => Listener.Open(options.SocketPath));
        services.AddSingleton(parts => new PolicyTable(
            options.PolicyPath, Environment.GetEnvironmentVariables(), parts.GetRequiredService<Log>(),
            parts.GetRequiredService<ClusterMembership>().Locations));
        services.AddSingleton<JournalService>();
        services.AddSingleton(parts => new Broker(
            options, parts.GetRequiredService<IKernelWitness>(), parts.GetRequiredService<PolicyTable>(),
            parts.GetRequiredService<Statistics>(), parts.GetRequiredService<Log>())
        {
            Journal = parts.GetRequiredService<JournalService>().Journal,
        });
        services.AddSingleton<StatusService>();
        services.AddSingleton<SessionMessages>();
        services.AddSingleton<EventLoop>();
        services.AddSingleton(parts => new RouterDaemon(
            options, arguments, words, parts.GetRequiredService<ClusterMembership>(), parts.GetRequiredService<EventLoop>(),
            parts.GetRequiredService<Log>()));
        services.AddSingleton<IDaemon>(parts => parts.GetRequiredService<RouterDaemon>());

        services.AddHostedService<FabricService>();
        services.AddHostedService<LocationService>();
        services.AddHostedService<EventLoopService>();
        services.AddHostedService(parts => parts.GetRequiredService<JournalService>());
    }
}
