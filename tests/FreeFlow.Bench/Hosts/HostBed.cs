using System;
using System.Globalization;
using System.Linq;
using FreeFlow.Bench.Measuring;
using FreeFlow.Lab;
using FreeFlow.Lab.Hosts;

namespace FreeFlow.Bench.Hosts;

/// <summary>Two laboratories of two hosts with a container each: one whose routers need no certificates, one with mutual TLS. Servers are on the first host.</summary>
internal sealed class HostBed : IDisposable
{
    private readonly Laboratory _open, _secure;
    private int _port = 7000;

    internal HostBed(double seconds)
    {
        Seconds = seconds;
        LabDescription two = LabDescription.Create(hosts: 2, containers: 1, etcd: false);
        _open = Laboratory.Start(two with { Certificates = false });
        try { _secure = Laboratory.Start(two); }
        catch { _open.Dispose(); throw; }
    }

    /// <summary>Wished length of a run in seconds.</summary>
    internal double Seconds { get; }

    /// <summary>Whole seconds, at least one.</summary>
    internal string WholeSeconds => Math.Max(1, (int)Math.Round(Seconds)).ToString(CultureInfo.InvariantCulture);

    /// <summary>A port that no run has used before.</summary>
    internal int NextPort() => _port++;

    /// <summary>Where the servers of a road are.</summary>
    internal LabPlace Server(HostRoad road) => Of(road, 0);

    /// <summary>Starts a server on the first host, runs a client against it on the second, and ends the server.</summary>
    internal HostExchange Run(HostRoad road, int port, CommandLine server, CommandLine client)
    {
        bool accelerated = road is HostRoad.Fabric or HostRoad.SecureFabric;
        using LabProcess running = Server(road).Start(server.WithFreeFlow(accelerated));
        Server(road).WaitForPort(port, running);
        long carried = Carried(road);
        double busy = MachineTime.BusySeconds;
        CompletedProcess ended = Of(road, 1).Run(client.WithFreeFlow(accelerated), TimeSpan.FromSeconds(60 + (10 * Seconds))).Succeeded(client.ToString());
        busy = MachineTime.BusySeconds - busy;
        carried = Carried(road) - carried;
        if (accelerated && carried == 0) throw new LabException($"'{client}': no byte went through the fabric");
        return new HostExchange(ended, running, busy, carried);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _open.Dispose();
        _secure.Dispose();
    }

    private Laboratory Of(HostRoad road) => road == HostRoad.SecureFabric ? _secure : _open;

    private LabPlace Of(HostRoad road, int host) => road == HostRoad.Host ? _open.Hosts[host] : Of(road).Hosts[host]["a"];

    private long Carried(HostRoad road) => Of(road).Hosts.Sum(host => host.Status().FabricBytes);
}
