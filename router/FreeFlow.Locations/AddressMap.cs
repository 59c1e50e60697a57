using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;

namespace FreeFlow.Locations;

/// <summary>Address → what is known of it, compactly: an IPv4 address is a key of four bytes. Not thread-safe.</summary>
internal sealed class AddressMap<T>
{
    private readonly Dictionary<uint, T> _four = [];
    private readonly Dictionary<UInt128, T> _six = [];

    /// <summary>Addresses in it.</summary>
    public int Count => _four.Count + _six.Count;

    public T this[Address address]
    {
        set
        {
            if (address.IsIPv4) _four[address.IPv4] = value; else _six[address.Value] = value;
        }
    }

    public bool TryGet(Address address, [MaybeNullWhen(false)] out T value) => address.IsIPv4 ? _four.TryGetValue(address.IPv4, out value) : _six.TryGetValue(address.Value, out value);

    public void Remove(Address address)
    {
        if (address.IsIPv4) _four.Remove(address.IPv4); else _six.Remove(address.Value);
    }

    /// <summary>Every address at this moment; those alone whose value <paramref name="which"/> wants.</summary>
    public List<Address> Addresses(Predicate<T>? which = null)
    {
        List<Address> all = new(which is null ? Count : 0);
        foreach (KeyValuePair<uint, T> entry in _four) if (which is null || which(entry.Value)) all.Add(Address.FromIPv4(entry.Key));
        foreach (KeyValuePair<UInt128, T> entry in _six) if (which is null || which(entry.Value)) all.Add(new(entry.Key));
        return all;
    }
}
