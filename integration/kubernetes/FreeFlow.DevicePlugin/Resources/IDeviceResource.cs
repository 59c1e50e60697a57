using System.Collections.Generic;
using FreeFlow.DevicePlugin.Api;

namespace FreeFlow.DevicePlugin.Resources;

/// <summary>A resource of this node that pods ask for by name and number. Safe for use by several threads.</summary>
internal interface IDeviceResource
{
    /// <summary>The name as pods write it, "vendor/kind".</summary>
    string Name { get; }

    /// <summary>Every id with its health, as both are now.</summary>
    IReadOnlyList<Device> List();

    /// <summary>What a container with one or more of the devices is given.</summary>
    ContainerAllocateResponse Allocate();
}
