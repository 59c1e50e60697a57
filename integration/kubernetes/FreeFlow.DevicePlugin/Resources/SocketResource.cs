using System.Collections.Generic;
using System.IO;
using System.Net.Sockets;
using FreeFlow.DevicePlugin.Api;

namespace FreeFlow.DevicePlugin.Resources;

/// <summary>
/// The router's socket and the preload library, for pods whose image knows nothing of them. Healthy while the router takes connections: its
/// socket file outlives a router that was killed.
/// </summary>
internal sealed class SocketResource(string name, int count, string socketFolder, string libraryFolder) : IDeviceResource
{
    // Where a container sees the two folders: the library's own defaults.
    private const string ContainerSocketFolder = "/run/freeflow";
    private const string ContainerLibraryFolder = "/usr/lib/freeflow";

    public string Name => name;

    public IReadOnlyList<Device> List() => DeviceList.Of("socket", count, IsServed()
        && File.Exists(Path.Combine(libraryFolder, "libfreeflow.so")));

    public ContainerAllocateResponse Allocate() => new()
    {
        Envs = { ["LD_PRELOAD"] = $"{ContainerLibraryFolder}/libfreeflow.so" },
        Mounts =
        {
            new Mount { HostPath = socketFolder, ContainerPath = ContainerSocketFolder, ReadOnly = true },
            new Mount { HostPath = libraryFolder, ContainerPath = ContainerLibraryFolder, ReadOnly = true },
        },
    };

    private bool IsServed()
    {
        try
        {
            using Socket socket = new(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified) { Blocking = false };
            socket.Connect(new UnixDomainSocketEndPoint(Path.Combine(socketFolder, "router.sock")));
            return true;
        }
        catch (SocketException exception)
        {
            // A full backlog is a router that is busy.
            return exception.SocketErrorCode is SocketError.WouldBlock;
        }
    }
}
