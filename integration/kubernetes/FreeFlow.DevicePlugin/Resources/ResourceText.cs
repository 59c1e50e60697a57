using System;
using System.Globalization;

namespace FreeFlow.DevicePlugin.Resources;

/// <summary>Reads a resource as the option --resource has it: "NAME" or "NAME=COUNT".</summary>
internal static class ResourceText
{
    /// <summary>The most ids of one resource: with more, the kubelet's own limit of 4 MiB a message comes near.</summary>
    internal const int MostDevices = 10000;

    internal const string Names = "freeflow.io/socket, freeflow.io/rdma, jarvice.com/rdma, rdma-sriov/dev-infiniband-mount";

    /// <exception cref="FormatException">The text is neither; the message names it and the mend.</exception>
    internal static IDeviceResource Parse(string text, NodeFolders folders)
    {
        string[] parts = text.Split('=', 2);
        int count = parts.Length == 1 ? DefaultCount(parts[0])
            : int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                && number is >= 1 and <= MostDevices ? number
            : throw new FormatException($"--resource {text}: '{parts[1]}' is no number of devices; 1 to {MostDevices} are.");
        return parts[0] switch
        {
            "freeflow.io/socket" => new SocketResource(parts[0], count, folders.Sockets, folders.Library),
            "freeflow.io/rdma" or "jarvice.com/rdma" => new RdmaResource(parts[0], count, false, folders.Devices, folders.System),
            "rdma-sriov/dev-infiniband-mount" => new RdmaResource(parts[0], count, true, folders.Devices, folders.System),
            _ => throw new FormatException($"--resource {text}: '{parts[0]}' is no resource of this plugin; these are: {Names}."),
        };
    }

    // RIT's plugin has 10,000 ids, for pods that ask for one each.
    private static int DefaultCount(string name) => name == "rdma-sriov/dev-infiniband-mount" ? 10000 : 1000;
}
