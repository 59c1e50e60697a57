using System;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Locations.Files;

namespace FreeFlow.Locations;

/// <summary>Locations out of a file that is watched. A file that cannot be read, or has a wrong line, changes nothing: the last view stays, and says its age.</summary>
public sealed class FileLocations : ILocations
{
    private readonly LocationTable _table = new();
    private readonly ViewState _state;
    private readonly WatchedFile _file;
    private readonly string _path;
    private readonly CancellationTokenSource _stop = new();
    private long _readings;
    private Task _run = Task.CompletedTask;

    /// <param name="path">Written as <see cref="LocationFile"/> says; best replaced by rename.</param>
    /// <param name="log">One line for each change of state.</param>
    public FileLocations(string path, Action<string> log)
    {
        _path = path;
        _state = new($"file {path}", _table, log);
        _file = new(path, Take, reason => _state.Outage(reason, Stopwatch.GetTimestamp()));
    }

    public event Action<LocationChange>? Changed { add => _table.Changed += value; remove => _table.Changed -= value; }

    public LocationView View => _state.View;

    public void Start() => _run = Task.Run(() => _file.RunAsync(_stop.Token));

    public LocationAnswer Find(Address address, out Host? host)
    {
        host = _table.Find(address);
        return host is not null ? LocationAnswer.Found : _state.HasLearnt ? LocationAnswer.Nowhere : LocationAnswer.Unknown;
    }

    public async ValueTask DisposeAsync()
    {
        _stop.Cancel();
        await _run.ConfigureAwait(false);
        _stop.Dispose();
    }

    private void Take(string text)
    {
        LocationFile file = LocationFile.Parse(text, hostRequired: true);
        foreach (Address host in _table.NamedHosts().Where(host => !file.Names.ContainsKey(host))) _table.SetName(host, null);
        foreach (Address host in _table.DescribedHosts().Where(host => !file.Routers.ContainsKey(host))) _table.SetRouter(host, null);
        foreach ((Address host, string name) in file.Names) _table.SetName(host, name);
        foreach ((Address host, RouterDescription router) in file.Routers) _table.SetRouter(host, router);
        foreach (Address address in _table.Snapshot().Where(address => !file.Addresses.ContainsKey(address))) _table.Remove(address);
        foreach ((Address address, Address host) in file.Addresses) _table.Set(address, host);
        _state.Learnt();
        _state.Current(_path, ++_readings);
    }
}
