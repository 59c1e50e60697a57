using System.Collections.Generic;
using System.Globalization;
using FreeFlow.DevicePlugin.Api;

namespace FreeFlow.DevicePlugin.Resources;

/// <summary>The ids of a resource that is shared: as many as pods may hold at once, all of one health.</summary>
internal static class DeviceList
{
    internal const string Healthy = "Healthy", Unhealthy = "Unhealthy";

    internal static IReadOnlyList<Device> Of(string prefix, int count, bool isHealthy)
    {
        List<Device> devices = new(count);
        string health = isHealthy ? Healthy : Unhealthy;
        for (int index = 0; index < count; index++)
            devices.Add(new Device { ID = string.Create(CultureInfo.InvariantCulture, $"{prefix}-{index}"), Health = health });
        return devices;
    }
}
