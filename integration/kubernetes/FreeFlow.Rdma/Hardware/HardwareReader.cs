using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;

namespace FreeFlow.Rdma.Hardware;

/// <summary>
/// Reads the functions of a node from sysfs, anew each time: cards come and go. ABI: sysfs-bus-pci (sriov_numvfs, virtfn), and the folder
/// "sriov" of Mellanox' driver for each function's settings. Safe for use by several threads.
/// </summary>
/// <param name="system">The folder where sysfs is, "/sys" as a rule.</param>
internal sealed class HardwareReader(string system)
{
    /// <summary>The cards with at least one virtual function and a known rate, by name.</summary>
    internal PhysicalFunction[] Read()
    {
        string folder = Path.Combine(system, "class/net");
        if (!Directory.Exists(folder)) return [];
        return [.. Directory.EnumerateFileSystemEntries(folder).Order(StringComparer.Ordinal).Select(ReadCard).OfType<PhysicalFunction>()];
    }

    private static PhysicalFunction? ReadCard(string card)
    {
        string device = Path.Combine(card, "device");
        if (!uint.TryParse(TextOf(Path.Combine(device, "sriov_numvfs")), NumberStyles.None, CultureInfo.InvariantCulture,
            out uint count) || count == 0) return null;
        if (RateOf(device) is not { } rate) return null;
        List<VirtualFunction> functions = [];
        for (uint number = 0; number < count; number++)
            if (ReadFunction(device, number) is { } function) functions.Add(function);
        return new PhysicalFunction
        {
            Name = Path.GetFileName(card),
            UsedTxRate = (uint)Math.Min(uint.MaxValue, functions.Sum(function => (long)function.MinTxRate)),
            CapacityTxRate = rate,
            UsedFunctions = (uint)functions.Count(function => function.IsAllocated),
            CapacityFunctions = (uint)functions.Count,
            Functions = functions,
        };
    }

    private static VirtualFunction? ReadFunction(string device, uint number)
    {
        string network = Path.Combine(device, string.Create(CultureInfo.InvariantCulture, $"virtfn{number}"), "net");
        if (!Directory.Exists(network)) return null;
        if (TextOf(Path.Combine(device, "sriov", number.ToString(CultureInfo.InvariantCulture), "config")) is not { } text) return null;
        return FunctionSettings.Parse(text) with { Number = number, IsAllocated = IsEmpty(network) };
    }

    // The function's network device is elsewhere: in the namespace of the container that has it.
    private static bool IsEmpty(string folder)
    {
        try { return !Directory.EnumerateFileSystemEntries(folder).Any(); }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException) { return true; }
    }

    private static uint? RateOf(string device)
    {
        string folder = Path.Combine(device, "infiniband");
        if (!Directory.Exists(folder)) return null;
        string? file = Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal)
            .Select(name => Path.Combine(name, "ports")).Where(Directory.Exists)
            .SelectMany(ports => Directory.EnumerateDirectories(ports).Order(StringComparer.Ordinal))
            .Select(port => Path.Combine(port, "rate")).FirstOrDefault(File.Exists);
        return file is null || TextOf(file) is not { } text ? null : PortRate.Parse(text);
    }

    private static string? TextOf(string file)
    {
        try { return File.ReadAllText(file).TrimEnd('\n'); }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException) { return null; }
    }
}
