using System;
using System.Globalization;
using System.IO;

namespace FreeFlow.Kubernetes.Tests.Rdma;

/// <summary>A sysfs of a test's own, with cards as Mellanox' driver shows them.</summary>
internal sealed class SystemTree : IDisposable
{
    internal string Folder { get; } = Directory.CreateTempSubdirectory("freeflow-sysfs-").FullName;

    /// <summary>Adds a card; each function is a pair of its guaranteed rate in Mbit/s and whether a container has it.</summary>
    internal void Add(string name, string rate, params (int MinTxRate, bool IsAllocated)[] functions)
    {
        Write($"{name}/device/sriov_numvfs", functions.Length.ToString(CultureInfo.InvariantCulture));
        Write($"{name}/device/infiniband/mlx5_{name}/ports/1/rate", rate);
        for (int number = 0; number < functions.Length; number++)
        {
            Directory.CreateDirectory(Path.Combine(Folder, "class/net", $"{name}/device/virtfn{number}/net"));
            if (!functions[number].IsAllocated) Directory.CreateDirectory(Path.Combine(Folder, "class/net",
                $"{name}/device/virtfn{number}/net/{name}v{number}"));
            Write($"{name}/device/sriov/{number}/config",
                $"VF         : {number}\nMAC        : 00:11:22:33:44:{number:x2}\nVLAN       : 5\nQoS        : 0\nVLAN Proto : 802.1Q\nSpoofCheck : OFF\nTrust      : ON\n"
                + $"LinkState  : Follow\nMinTxRate  : {functions[number].MinTxRate}\nMaxTxRate  : 20000\nVGT+       : OFF\nRateGroup  : 0\nNewThing   : 7\n");
        }
    }

    internal void Write(string file, string text)
    {
        string path = Path.Combine(Folder, "class/net", file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text + "\n");
    }

    internal void Remove(string path) => Directory.Delete(Path.Combine(Folder, "class/net", path), recursive: true);

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
