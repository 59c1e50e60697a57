using System;
using System.Threading;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;

namespace FreeFlow.Service;

/// <summary>
/// A generic host with what a daemon needs, and nothing that it does not: no configuration files, no console logger, no handler of SIGQUIT.
/// </summary>
public static class DaemonHost
{
    /// <summary>
    /// A builder whose services are still to be added, an <see cref="IDaemon"/> among them; hosted services start in the order of their
    /// registration.
    /// </summary>
    public static HostApplicationBuilder CreateBuilder()
    {
        // The working folder may be gone, and nothing is read from it.
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = "/" });
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = Timeout.InfiniteTimeSpan);
        // The parts of AddSystemd, which adds them only if the parent is called "systemd": other service managers speak sd_notify(3), too.
        builder.Services.AddSingleton(_ => new ServiceNotifier(Environment.GetEnvironmentVariable));
        builder.Services.AddSingleton<ISystemdNotifier>(services => services.GetRequiredService<ServiceNotifier>());
        builder.Services.AddSingleton<IHostLifetime, SystemdLifetime>();
        builder.Services.AddHostedService<DaemonReports>();
        return builder;
    }

    /// <summary>Starts the host and waits until it is told to stop and has stopped; throws what its services throw.</summary>
    public static void Run(HostApplicationBuilder builder)
    {
        IHost host = builder.Build();
        CancellationToken stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        try
        {
            host.Run();
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // A signal came before everything had started: the host gives that up, and has disposed of what there was.
        }
    }
}
