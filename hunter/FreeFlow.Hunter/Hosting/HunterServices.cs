using System;
using System.IO;
using System.Security.Cryptography;
using FreeFlow.Hunter.Logging;
using FreeFlow.Locations;
using FreeFlow.Locations.Etcd;
using FreeFlow.Locations.Publishing;
using FreeFlow.Metrics;
using FreeFlow.Service;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FreeFlow.Hunter.Hosting;

/// <summary>The hunter's parts. The container disposes of each before the parts that it was made of.</summary>
internal static class HunterServices
{
    /// <param name="services">The host's.</param>
    /// <param name="options">What was read at the start, this node's address among it.</param>
    public static void AddHunter(this IServiceCollection services, HunterOptions options)
    {
        LineLogger log = new("freeflow-hunter", verbose: false);
        services.AddSingleton<ILogger>(log);
        services.AddSingleton<ILoggerProvider>(log);
        services.AddSingleton(options);
        services.AddSingleton(_ => OpenEtcd(options.Etcd));
        services.AddSingleton(parts => new Publisher(parts.GetRequiredService<EtcdClient>(), Publishing(options), log.Told));
        services.AddSingleton<IDaemon, HunterDaemon>();
        services.AddSingleton<SourceService>();
        services.AddHostedService(parts => parts.GetRequiredService<SourceService>());
    }

    /// <summary>What --metrics adds.</summary>
    public static void AddMetrics(this IServiceCollection services, HunterOptions options)
    {
        if (options.Metrics is not { } address) return;
        services.AddHostedService(parts =>
        {
            MetricsRegistry registry = new();
            HunterMetrics metrics = new(registry, parts.GetRequiredService<SourceService>(), parts.GetRequiredService<Publisher>());
            return new MetricsService(address, registry, metrics, typeof(Program).Assembly.GetName().Version?.ToString(3) ?? "0", line => new HunterException(line));
        });
    }

    private static PublisherOptions Publishing(HunterOptions options) => new()
    {
        LeaseTime = TimeSpan.FromSeconds(options.LeaseSeconds),
        OwnerKey = LocationKeys.HunterPrefix + options.HostAddress,
        OwnerName = options.NodeName,
        WithdrawOnStop = options.Withdraw,
    };

    private static EtcdClient OpenEtcd(EtcdOptions options)
    {
        try { return new(options); }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new HunterException($"etcd's TLS files: {exception.Message}");
        }
    }
}
