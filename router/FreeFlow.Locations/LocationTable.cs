using System;
using System.Collections.Generic;
using System.Threading;
using FreeFlow.Locations.Identities;

namespace FreeFlow.Locations;

/// <summary>Virtual IP → host, compactly: an IPv4 entry is 24 bytes and a bucket, a host is one object however many addresses live on it.
/// One writer, any number of readers; every entry is found with one short lock.</summary>
public sealed class LocationTable
{
    private readonly Lock _lock = new();
    private readonly AddressMap<Host> _entries = new();
    private readonly Dictionary<Address, (Host Host, int Uses)> _hosts = [];
    private readonly Dictionary<Address, string> _names = [];
    private readonly Dictionary<Address, RouterDescription> _routers = [];

    /// <summary>Called by the writer after each change, outside the lock.</summary>
    public event Action<LocationChange>? Changed;

    /// <summary>Who has the addresses.</summary>
    internal IdentityTable Identities { get; } = new();

    /// <summary>Addresses with a host.</summary>
    public int Addresses { get { lock (_lock) return _entries.Count; } }

    /// <summary>Hosts that addresses live on.</summary>
    public int Hosts { get { lock (_lock) return _hosts.Count; } }

    /// <summary>Null: nowhere.</summary>
    public Host? Find(Address address) { lock (_lock) return Get(address); }

    /// <summary>Who has the address, as the host says that it lives on; null: not known.</summary>
    public Identity? IdentityOf(Address address) => Find(address) is { } host ? Identities.Find(address, host.Address) : null;

    /// <summary>The address lives on that host from now on.</summary>
    public void Set(Address address, Address hostAddress)
    {
        Host host;
        lock (_lock)
        {
            Host? before = Get(address);
            if (before?.Address == hostAddress) return;
            if (before is not null) Release(before.Address);
            int uses = _hosts.TryGetValue(hostAddress, out (Host Host, int Uses) known) ? known.Uses : 0;
            host = uses > 0 ? known.Host : new(hostAddress, _names.GetValueOrDefault(hostAddress), _routers.GetValueOrDefault(hostAddress));
            _hosts[hostAddress] = (host, uses + 1);
            _entries[address] = host;
        }
        Changed?.Invoke(new(address, host));
    }

    /// <summary>The address lives nowhere from now on; or nobody wants to know any more (<paramref name="silently"/>).</summary>
    public void Remove(Address address, bool silently = false)
    {
        lock (_lock)
        {
            if (Get(address) is not { } host) return;
            Release(host.Address);
            _entries.Remove(address);
        }
        if (!silently) Changed?.Invoke(new(address, null));
    }

    /// <summary>What the host's router says of itself; null: it has gone.</summary>
    public void SetRouter(Address hostAddress, RouterDescription? router)
    {
        lock (_lock)
        {
            if (router is null ? !_routers.Remove(hostAddress) : router.SameAs(_routers.GetValueOrDefault(hostAddress))) return;
            if (router is not null) _routers[hostAddress] = router;
        }
        Replace(hostAddress);
    }

    /// <summary>The host's name; null: it has gone.</summary>
    public void SetName(Address hostAddress, string? name)
    {
        lock (_lock)
        {
            if (name is null ? !_names.Remove(hostAddress) : name == _names.GetValueOrDefault(hostAddress)) return;
            if (name is not null) _names[hostAddress] = name;
        }
        Replace(hostAddress);
    }

    /// <summary>Every address at this moment.</summary>
    public List<Address> Snapshot() { lock (_lock) return _entries.Addresses(); }

    /// <summary>Hosts of which a name is known.</summary>
    public List<Address> NamedHosts() { lock (_lock) return [.. _names.Keys]; }

    /// <summary>Hosts whose router has described itself.</summary>
    public List<Address> DescribedHosts() { lock (_lock) return [.. _routers.Keys]; }

    // A host is immutable for its readers: a changed one takes the old one's place in every entry. Rare: a router that starts or is upgraded.
    private void Replace(Address hostAddress)
    {
        List<Address> moved;
        Host host;
        lock (_lock)
        {
            if (!_hosts.TryGetValue(hostAddress, out (Host Host, int Uses) known)) return;
            host = new(hostAddress, _names.GetValueOrDefault(hostAddress), _routers.GetValueOrDefault(hostAddress));
            _hosts[hostAddress] = (host, known.Uses);
            moved = _entries.Addresses(entry => ReferenceEquals(entry, known.Host));
            foreach (Address address in moved) _entries[address] = host;
        }
        foreach (Address address in moved) Changed?.Invoke(new(address, host));
    }

    private Host? Get(Address address) => _entries.TryGet(address, out Host? host) ? host : null;

    private void Release(Address hostAddress)
    {
        (Host host, int uses) = _hosts[hostAddress];
        if (uses == 1) _hosts.Remove(hostAddress); else _hosts[hostAddress] = (host, uses - 1);
    }
}
