using System;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Native;
using FreeFlow.Router.Cluster;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Observe;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Sessions;
using Microsoft.Extensions.Hosting;

namespace FreeFlow.Router.Hosting;

/// <summary>
/// The thread of the event loop. It has started with its first turn, so the router is ready only when it serves; what ends the loop ends
/// the router.
/// </summary>
internal sealed class EventLoopService : IHostedService, IDisposable
{
    private readonly RouterOptions _options;
    private readonly KernelWitness _witness;
    private readonly EventLoop _loop;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly Log _log;
    private readonly Thread _thread;
    private readonly TaskCompletionSource _turned = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenRegistration _stopping;

    public EventLoopService(
        RouterOptions options, KernelWitness witness, ClusterMembership cluster, Broker broker, StatusService status, EventLoop loop,
        IHostApplicationLifetime lifetime, Log log)
    {
        (_options, _witness, _loop, _lifetime, _log) = (options, witness, loop, lifetime, log);
        _thread = new Thread(Run) { Name = "event loop", IsBackground = true };
        Threads.Faulted = (name, exception) => log.ThreadFaulted(name, exception.GetType().Name, exception.Message);
        status.Post = loop.Post;
        broker.Follow(cluster.Locations, loop.Post);
        // At once, before the host stops one service after the other.
        _stopping = lifetime.ApplicationStopping.Register(loop.Stop);
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        SayWhatIsServed();
        _loop.Post(() => _turned.TrySetResult());
        if (!Threads.TryStart(_thread)) throw new RouterException($"{Threads.NoneToBeHad} for the event loop.");
        // Here, and not later: nothing else is to be done meanwhile, and no thread of a pool has to be made to go on.
        return Task.WaitAny([_turned.Task, _ended.Task], CancellationToken.None) == 0 ? Task.CompletedTask : _ended.Task;
    }

    /// <summary>Throws the <see cref="RouterException"/> that has ended the loop, if one has.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _loop.Stop();
        await _ended.Task.ConfigureAwait(false);
        _log.Stopped();
    }

    /// <summary>The loop has ended before it is disposed of, also when a later service did not start.</summary>
    public void Dispose()
    {
        _stopping.Dispose();
        _loop.Stop();
        if (_thread.IsAlive) _thread.Join();
    }

    private void Run()
    {
        try
        {
            Priority.Take(_options.Nice, _log);
            _loop.Run();
            _ended.TrySetResult();
        }
        catch (RouterException exception)
        {
            _ended.TrySetException(exception);
            _lifetime.StopApplication();
        }
    }

    private void SayWhatIsServed()
    {
        _log.Listens(StatusReport.Version, _options.SocketPath);
        bool isRoot = Libc.geteuid() == 0;
        if (!_witness.HasDiagnosis || _witness.OwnNamespaceCookie == 0) _log.HasNoWitness();
        else if (!isRoot) _log.IsNotRoot();
        if (isRoot && _witness.ProbeProblem is { } problem) _log.HasNoProbe(problem);
    }
}
