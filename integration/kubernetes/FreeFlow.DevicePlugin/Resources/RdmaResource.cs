using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using FreeFlow.DevicePlugin.Api;

namespace FreeFlow.DevicePlugin.Resources;

/// <summary>
/// The node's real RDMA devices, shared by all pods that ask: each device file by itself, or their whole folder.
/// Healthy while a device with an active port is there, as the files are looked at anew for each answer.
/// </summary>
internal sealed class RdmaResource(string name, int count, bool wholeFolder, string devices, string system) : IDeviceResource
{
    public string Name => name;

    public IReadOnlyList<Device> List() => DeviceList.Of("rdma", count,
        Files().Any(file => file.StartsWith("uverbs", StringComparison.Ordinal)) && HasActivePort());

    public ContainerAllocateResponse Allocate()
    {
        ContainerAllocateResponse response = new();
        if (wholeFolder) response.Devices.Add(Spec("infiniband", "rwm"));
        else
        {
            response.Devices.Add(Files().Select(file => Spec($"infiniband/{file}", "rw")));
            if (File.Exists(Path.Combine(devices, "knem"))) response.Devices.Add(Spec("knem", "rw"));
        }
        return response;
    }

    private DeviceSpec Spec(string file, string permissions) =>
        new() { HostPath = Path.Combine(devices, file), ContainerPath = $"/dev/{file}", Permissions = permissions };

    private List<string> Files()
    {
        string folder = Path.Combine(devices, "infiniband");
        if (!Directory.Exists(folder)) return [];
        return [.. Directory.EnumerateFiles(folder).Select(Path.GetFileName).OfType<string>()
            .Where(file => file.StartsWith("uverbs", StringComparison.Ordinal) || file == "rdma_cm").Order(StringComparer.Ordinal)];
    }

    // "4: ACTIVE" is what sysfs says of a port that carries packets.
    private bool HasActivePort()
    {
        string folder = Path.Combine(system, "class/infiniband");
        if (!Directory.Exists(folder)) return false;
        return Directory.EnumerateDirectories(folder).Select(device => Path.Combine(device, "ports")).Where(Directory.Exists)
            .SelectMany(Directory.EnumerateDirectories).Any(port => StateOf(port).StartsWith('4'));
    }

    private static string StateOf(string port)
    {
        try { return File.ReadAllText(Path.Combine(port, "state")); }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException) { return ""; }
    }
}
