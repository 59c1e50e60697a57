using System;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Router.Fabric.Journal;
using FreeFlow.Router.Logging;
using Microsoft.Extensions.Hosting;

namespace FreeFlow.Router.Hosting;

/// <summary>Where rings are written down, and, once the router serves, what the one before it has left there.</summary>
internal sealed class JournalService(RouterOptions options, Log log) : IHostedService, IDisposable
{
    private bool _isDisposed;

    /// <summary>Null if the options name none, or it is not to be had.</summary>
    public RingJournal? Journal { get; } = options.StateFolder is { } folder ? RingJournal.TryOpen(folder, log) : null;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (Journal is not null) AbandonedRings.TakeUp(Journal, log);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // The container knows it under two names, and disposes of it twice.
    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        Journal?.Dispose();
    }
}
