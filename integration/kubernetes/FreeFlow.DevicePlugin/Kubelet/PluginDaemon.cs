using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.DevicePlugin.Resources;
using Grpc.Core;

namespace FreeFlow.DevicePlugin.Kubelet;

/// <summary>
/// Keeps the resources registered: serves them, tells the kubelet, and begins anew whenever the kubelet does, or SIGHUP asks for it.
/// </summary>
internal sealed class PluginDaemon(string folder, IReadOnlyList<IDeviceResource> resources, Action<string> say)
{
    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _again = new(0, 1);
    private string _lastFault = "";

    private string Kubelet => Path.Combine(folder, "kubelet.sock");

    /// <summary>Registers everything anew, soon. Safe to call from a signal's handler.</summary>
    internal void RegisterAgain()
    {
        if (_again.CurrentCount != 0) return;
        try { _again.Release(); }
        catch (SemaphoreFullException) { }
    }

    /// <summary>Runs until it is cancelled.</summary>
    internal async Task RunAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                await using PluginServer server = await PluginServer.StartAsync(folder, resources, cancellation);
                await ServeAsync(server, cancellation);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }
            catch (IOException exception)
            {
                SayOnce($"cannot serve in {folder}: {exception.Message}");
                await Task.Delay(s_period, CancellationToken.None);
            }
        }
    }

    // Ends when the kubelet is another one, or its folder was emptied.
    private async Task ServeAsync(PluginServer server, CancellationToken cancellation)
    {
        DateTime registeredWith = default;
        while (server.HasSockets)
        {
            DateTime kubelet = File.GetLastWriteTimeUtc(Kubelet);
            if (kubelet != registeredWith && File.Exists(Kubelet) && await RegisterAsync(cancellation)) registeredWith = kubelet;
            if (await _again.WaitAsync(s_period, cancellation)) registeredWith = default;
        }
    }

    private async Task<bool> RegisterAsync(CancellationToken cancellation)
    {
        foreach (IDeviceResource resource in resources)
        {
            try
            {
                await Registration.RegisterAsync(Kubelet, resource, cancellation);
            }
            catch (RpcException exception)
            {
                cancellation.ThrowIfCancellationRequested();
                SayOnce($"the kubelet at {Kubelet} does not register {resource.Name}: {exception.Status.Detail}");
                return false;
            }
            _lastFault = "";
            say($"registered {resource.Name}");
        }
        return true;
    }

    private void SayOnce(string fault)
    {
        if (fault != _lastFault) say(fault);
        _lastFault = fault;
    }
}
