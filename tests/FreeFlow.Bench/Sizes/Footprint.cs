using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using FreeFlow.Lab;

namespace FreeFlow.Bench.Sizes;

/// <summary>What the programs, the router and the kernel hold at one moment; memory in KiB.</summary>
/// <param name="Private">Proportional set size (a page shared by the sides counts once) of everything, shared memory included.</param>
/// <param name="Shared">The part of it that is rings and tables in memfds.</param>
/// <param name="Sockets">Buffer memory of TCP, of the whole machine (proc(5), sockstat).</param>
/// <param name="Slab">The kernel's objects, of the whole machine: sockets, files, directory entries.</param>
/// <param name="Client">Descriptors of all clients.</param>
/// <param name="Server">Descriptors of the server.</param>
/// <param name="Router">Descriptors of the router.</param>
/// <param name="CpuSeconds">User and system time of everything so far.</param>
internal sealed record Footprint(double Private, double Shared, double Sockets, double Slab, int Client, int Server, int Router, double CpuSeconds)
{
    internal static Footprint Take(LabProcess client, LabProcess server, RouterProcess? router)
    {
        List<int> clients = [.. ProcessTree.Members(client.Pid)];
        int[] all = router is null ? [.. clients, server.Pid] : [.. clients, server.Pid, router.Process.Pid];
        return new Footprint(
            all.Sum(pid => Field($"/proc/{Text(pid)}/smaps_rollup", "Pss:")),
            all.Sum(pid => Field($"/proc/{Text(pid)}/smaps_rollup", "Pss_Shmem:")),
            Field("/proc/net/sockstat", "TCP:", after: "mem") * Environment.SystemPageSize / 1024,
            Field("/proc/meminfo", "Slab:"),
            clients.Sum(Descriptors), Descriptors(server.Pid), router is null ? 0 : Descriptors(router.Process.Pid),
            client.CpuSeconds + server.CpuSeconds + (router?.Process.CpuSeconds ?? 0));
    }

    private static double Field(string path, string name, string? after = null)
    {
        string[] line = File.ReadLines(path).First(text => text.StartsWith(name, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return double.Parse(line[after is null ? 1 : Array.IndexOf(line, after) + 1], CultureInfo.InvariantCulture);
    }

    private static int Descriptors(int pid) => Directory.GetFileSystemEntries($"/proc/{Text(pid)}/fd").Length;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
