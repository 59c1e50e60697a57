using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.DevicePlugin.Api;
using FreeFlow.DevicePlugin.Resources;
using Grpc.Core;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;

namespace FreeFlow.DevicePlugin.Kubelet;

/// <summary>Answers the kubelet for the resource whose socket it has called.</summary>
internal sealed class PluginService(IHostApplicationLifetime lifetime) : Api.DevicePlugin.DevicePluginBase
{
    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(1);

    public override Task<DevicePluginOptions> GetDevicePluginOptions(Empty request, ServerCallContext context) =>
        Task.FromResult(new DevicePluginOptions());

    public override async Task ListAndWatch(Empty request, IServerStreamWriter<ListAndWatchResponse> responses, ServerCallContext context)
    {
        IDeviceResource resource = ResourceOf(context);
        // An open stream would hold up the end of the server for half a minute.
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken,
            lifetime.ApplicationStopping);
        IReadOnlyList<Device>? told = null;
        try
        {
            while (!ending.IsCancellationRequested)
            {
                IReadOnlyList<Device> devices = resource.List();
                if (told is null || !devices.SequenceEqual(told))
                {
                    await responses.WriteAsync(new ListAndWatchResponse { Devices = { devices } }, ending.Token);
                    told = devices;
                }
                await Task.Delay(s_period, ending.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The kubelet has gone, or this plugin ends.
        }
    }

    public override Task<AllocateResponse> Allocate(AllocateRequest request, ServerCallContext context)
    {
        IDeviceResource resource = ResourceOf(context);
        HashSet<string> known = [.. resource.List().Select(device => device.ID)];
        string? stranger = request.ContainerRequests.SelectMany(container => container.DevicesIDs).FirstOrDefault(id => !known.Contains(id));
        if (stranger is not null)
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"'{stranger}' is no device of {resource.Name}."));
        return Task.FromResult(new AllocateResponse
        {
            ContainerResponses = { request.ContainerRequests.Select(_ => resource.Allocate()) },
        });
    }

    public override Task<PreferredAllocationResponse> GetPreferredAllocation(PreferredAllocationRequest request, ServerCallContext context)
    {
        // All ids are alike; those that must be in come first.
        IEnumerable<ContainerPreferredAllocationResponse> chosen = request.ContainerRequests.Select(
            container => new ContainerPreferredAllocationResponse
            {
                DeviceIDs =
            {
                container.MustIncludeDeviceIDs.Concat(container.AvailableDeviceIDs).Distinct().Take(Math.Max(0, container.AllocationSize)),
            },
            });
        return Task.FromResult(new PreferredAllocationResponse { ContainerResponses = { chosen } });
    }

    public override Task<PreStartContainerResponse> PreStartContainer(PreStartContainerRequest request, ServerCallContext context) =>
        Task.FromResult(new PreStartContainerResponse());

    private static IDeviceResource ResourceOf(ServerCallContext context) =>
        (IDeviceResource)context.GetHttpContext().Features.GetRequiredFeature<IConnectionItemsFeature>().Items[typeof(IDeviceResource)]!;
}
