using System;
using System.Collections.Generic;
using System.Threading;

namespace FreeFlow.Locations.Identities;

/// <summary>Virtual IP → who has it, and the host that says so, compactly. One writer, any number of readers.</summary>
internal sealed class IdentityTable
{
    private readonly record struct Entry(Identity Identity, Address Host);

    private readonly Lock _lock = new();
    private readonly IdentityPool _pool = new();
    private readonly AddressMap<Entry> _entries = new();

    /// <summary>Called by the writer after each change, outside the lock.</summary>
    public event Action<Address>? Changed;

    /// <summary>Addresses of which something is known, and how many different things.</summary>
    public (int Addresses, int Different) Counts { get { lock (_lock) return (_entries.Count, _pool.Count); } }

    /// <summary>Who has the address, if that <paramref name="host"/> is the one that says so; null: not known.</summary>
    public Identity? Find(Address address, Address host)
    {
        lock (_lock) return _entries.TryGet(address, out Entry entry) && entry.Host == host ? entry.Identity : null;
    }

    /// <summary>A host says who has the address; the name is for people, who read it elsewhere.</summary>
    public void Set(Address address, Address host, Identity identity)
    {
        if (identity.Name is not null) identity = new(identity.Namespace, null, identity.HasLabels ? identity.Labels : null);
        lock (_lock)
        {
            if (_entries.TryGet(address, out Entry before))
            {
                if (before.Host == host && before.Identity.Equals(identity)) return;
                _pool.Release(before.Identity);
            }
            _entries[address] = new(_pool.Share(identity), host);
        }
        Changed?.Invoke(address);
    }

    /// <summary>Nobody says any more who has it; or nobody wants to know any more (<paramref name="silently"/>).</summary>
    public void Remove(Address address, bool silently = false)
    {
        lock (_lock)
        {
            if (!_entries.TryGet(address, out Entry before)) return;
            _pool.Release(before.Identity);
            _entries.Remove(address);
        }
        if (!silently) Changed?.Invoke(address);
    }

    /// <summary>Every address of which something is known at this moment.</summary>
    public List<Address> Snapshot() { lock (_lock) return _entries.Addresses(); }
}
