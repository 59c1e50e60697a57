using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.DevicePlugin.Http2;
using FreeFlow.DevicePlugin.Resources;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FreeFlow.DevicePlugin.Kubelet;

/// <summary>Serves each resource on a socket of its own in the kubelet's folder, where the kubelet calls it.</summary>
internal sealed class PluginServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly IReadOnlyList<string> _sockets;

    private PluginServer(WebApplication application, IReadOnlyList<string> sockets)
    {
        _application = application;
        _sockets = sockets;
    }

    /// <summary>Whether all sockets are there: a kubelet that starts empties its folder.</summary>
    internal bool HasSockets => _sockets.All(File.Exists);

    /// <summary>The name of a resource's socket: its own, with what a file name cannot hold replaced.</summary>
    internal static string SocketName(IDeviceResource resource) => resource.Name.Replace('/', '_') + ".sock";

    internal static async Task<PluginServer> StartAsync(string folder, IReadOnlyList<IDeviceResource> resources,
        CancellationToken cancellation)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        List<string> sockets = [];
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            foreach (IDeviceResource resource in resources)
            {
                string socket = Path.Combine(folder, SocketName(resource));
                File.Delete(socket);
                sockets.Add(socket);
                kestrel.ListenUnixSocket(socket, listen =>
                {
                    listen.Protocols = HttpProtocols.Http2;
                    listen.Use(next => connection =>
                    {
                        connection.Items[typeof(IDeviceResource)] = resource;
                        return next(connection);
                    });
                    listen.Use(LocalAuthority.Wrap);
                });
            }
        });
        WebApplication application = builder.Build();
        application.MapGrpcService<PluginService>();
        await application.StartAsync(cancellation);
        return new PluginServer(application, sockets);
    }

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync();
        await _application.DisposeAsync();
        foreach (string socket in _sockets) File.Delete(socket);
    }
}
