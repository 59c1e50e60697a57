using System;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Locations.Identities;
using FreeFlow.Locations.Files;

namespace FreeFlow.Locations;

/// <summary>Locations out of a file that is watched. A file that cannot be read, or has a wrong line, changes nothing: the last view stays, and says its age.</summary>
public sealed class FileLocations : TableLocations
{
    private readonly WatchedFile _file;
    private readonly string _path;
    private long _readings;

    /// <param name="path">Written as <see cref="LocationFile"/> says; best replaced by rename.</param>
    /// <param name="log">One line for each change of state.</param>
    public FileLocations(string path, Action<string> log) : base($"file {path}", log)
    {
        _path = path;
        _file = new(path, Take, reason => State.Outage(reason, Stopwatch.GetTimestamp()));
    }

    private protected override Task RunAsync(CancellationToken stop) => _file.RunAsync(stop);

    private void Take(string text)
    {
        LocationFile file = LocationFile.Parse(text, hostRequired: true);
        foreach (Address host in Table.NamedHosts().Where(host => !file.Names.ContainsKey(host))) Table.SetName(host, null);
        foreach (Address host in Table.DescribedHosts().Where(host => !file.Routers.ContainsKey(host))) Table.SetRouter(host, null);
        foreach ((Address host, string name) in file.Names) Table.SetName(host, name);
        foreach ((Address host, RouterDescription router) in file.Routers) Table.SetRouter(host, router);
        foreach (Address address in Table.Snapshot().Where(address => !file.Addresses.ContainsKey(address))) Table.Remove(address);
        foreach ((Address address, Address host) in file.Addresses) Table.Set(address, host);
        foreach (Address address in Table.Identities.Snapshot().Where(address => !file.Identities.ContainsKey(address))) Table.Identities.Remove(address);
        foreach ((Address address, Identity identity) in file.Identities) Table.Identities.Set(address, file.Addresses[address], identity);
        State.Learnt();
        State.Current(_path, ++_readings);
    }
}
