using System;
using System.Collections.Generic;
using System.Threading;

namespace FreeFlow.Locations.Identities;

/// <summary>Virtual IP → who has it, and the host that says so, compactly. One writer, any number of readers.</summary>
internal sealed class IdentityTable
{
    private readonly record struct Entry(Identity Identity, int Host);

    private readonly Lock _lock = new();
    private readonly IdentityPool _pool = new();
    private readonly Dictionary<uint, Entry> _four = [];
    private readonly Dictionary<UInt128, Entry> _six = [];
    private readonly List<Address> _hosts = [];
    private readonly Dictionary<Address, int> _hostNumbers = [];

    /// <summary>Called by the writer after each change, outside the lock.</summary>
    public event Action<Address>? Changed;

    /// <summary>Addresses of which something is known, and how many different things.</summary>
    public (int Addresses, int Different) Counts { get { lock (_lock) return (_four.Count + _six.Count, _pool.Count); } }

    /// <summary>Who has the address, if that <paramref name="host"/> is the one that says so; null: not known.</summary>
    public Identity? Find(Address address, Address host)
    {
        lock (_lock) return TryGet(address, out Entry entry) && _hosts[entry.Host] == host ? entry.Identity : null;
    }

    /// <summary>A host says who has the address; the name is for people, who read it elsewhere.</summary>
    public void Set(Address address, Address host, Identity identity)
    {
        if (identity.Name is not null) identity = new(identity.Namespace, null, identity.HasLabels ? identity.Labels : null);
        lock (_lock)
        {
            if (!_hostNumbers.TryGetValue(host, out int number))
            {
                _hostNumbers.Add(host, number = _hosts.Count);
                _hosts.Add(host);
            }
            if (TryGet(address, out Entry before))
            {
                if (before.Host == number && before.Identity.Equals(identity)) return;
                _pool.Release(before.Identity);
            }
            Entry entry = new(_pool.Share(identity), number);
            if (address.IsIPv4) _four[address.IPv4] = entry; else _six[address.Value] = entry;
        }
        Changed?.Invoke(address);
    }

    /// <summary>Nobody says any more who has it; or nobody wants to know any more (<paramref name="silently"/>).</summary>
    public void Remove(Address address, bool silently = false)
    {
        lock (_lock)
        {
            if (!TryGet(address, out Entry before)) return;
            _pool.Release(before.Identity);
            if (address.IsIPv4) _four.Remove(address.IPv4); else _six.Remove(address.Value);
        }
        if (!silently) Changed?.Invoke(address);
    }

    /// <summary>Every address of which something is known at this moment.</summary>
    public List<Address> Snapshot()
    {
        lock (_lock)
        {
            List<Address> all = new(_four.Count + _six.Count);
            foreach (uint four in _four.Keys) all.Add(Address.FromIPv4(four));
            foreach (UInt128 six in _six.Keys) all.Add(new(six));
            return all;
        }
    }

    private bool TryGet(Address address, out Entry entry) => address.IsIPv4 ? _four.TryGetValue(address.IPv4, out entry) : _six.TryGetValue(address.Value, out entry);
}
