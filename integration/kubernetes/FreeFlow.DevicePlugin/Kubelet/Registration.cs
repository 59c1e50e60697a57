using System;
using System.IO;
using System.Net.Http;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.DevicePlugin.Api;
using FreeFlow.DevicePlugin.Resources;
using Grpc.Net.Client;

namespace FreeFlow.DevicePlugin.Kubelet;

/// <summary>Tells the kubelet of a resource, at the kubelet's socket.</summary>
internal static class Registration
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    /// <exception cref="Grpc.Core.RpcException">The kubelet is not there, or does not want the resource.</exception>
    internal static async Task RegisterAsync(string kubelet, IDeviceResource resource, CancellationToken cancellation)
    {
        using SocketsHttpHandler handler = new()
        {
            ConnectCallback = async (_, token) =>
            {
                Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(kubelet), token);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
        using GrpcChannel channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions { HttpHandler = handler });
        RegisterRequest request = new()
        {
            Version = "v1beta1",
            Endpoint = PluginServer.SocketName(resource),
            ResourceName = resource.Name,
            Options = new DevicePluginOptions(),
        };
        await new Api.Registration.RegistrationClient(channel).RegisterAsync(request, deadline: DateTime.UtcNow + s_patience,
            cancellationToken: cancellation);
    }
}
