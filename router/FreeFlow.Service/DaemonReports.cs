using System;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;

namespace FreeFlow.Service;

/// <summary>
/// What <see cref="SystemdLifetime"/> lacks, which says READY=1 and STOPPING=1 and heeds SIGTERM: STATUS, WATCHDOG=1 and RELOADING=1,
/// SIGHUP and SIGINT.
/// The daemon's own thread says that it is alive: one that hangs is silent, and its service manager starts it anew.
/// </summary>
/// <param name="daemon">Whose life it is.</param>
/// <param name="notifier">The way to the service manager.</param>
/// <param name="lifetime">Ends with SIGINT.</param>
public sealed class DaemonReports(IDaemon daemon, ServiceNotifier notifier, IHostApplicationLifetime lifetime)
    : IHostedLifecycleService, IDisposable
{
    private PosixSignalRegistration? _hangup;
    private PosixSignalRegistration? _interrupt;
    private Timer? _watchdog;

    /// <summary>Heeds the signals before any service starts.</summary>
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
        {
            context.Cancel = true;
            lifetime.StopApplication();
        });
        _hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            daemon.Invoke(Reload);
        });
        return Task.CompletedTask;
    }

    /// <summary>Says what <c>systemctl status</c> shows; READY=1 follows.</summary>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        notifier.Status(daemon.Status);
        if (notifier.WatchdogInterval is { } interval) _watchdog = new Timer(_ => daemon.Invoke(SayAlive), null, interval, interval);
        return Task.CompletedTask;
    }

    /// <summary>Says that the daemon ends.</summary>
    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        notifier.Status("stopping");
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose()
    {
        _watchdog?.Dispose();
        _hangup?.Dispose();
        _interrupt?.Dispose();
    }

    private void SayAlive()
    {
        if (daemon.IsAlive) notifier.Alive();
    }

    private void Reload()
    {
        notifier.Reloading();
        daemon.Reload();
        notifier.Ready(daemon.Status);
    }
}
