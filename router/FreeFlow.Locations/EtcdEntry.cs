using System;
using System.Text;
using FreeFlow.Locations.Etcd;
using FreeFlow.Locations.Identities;

namespace FreeFlow.Locations;

/// <summary>What an entry of etcd means for the table. Whoever may write to etcd may have written anything: what cannot be read is left out.</summary>
internal static class EtcdEntry
{
    private const int LongestName = 253;

    /// <summary>Takes the entry over; null if it cannot be read, else the address its key ends with.</summary>
    public static Address? Apply(LocationTable table, KeyValue entry)
    {
        if (LocationKeys.TryParse(entry.key, LocationKeys.AddressPrefix, out Address address))
        {
            if (address.IsOfNoPlace || !Address.TryParse(entry.value, out Address place) || place.IsOfNoPlace) return null;
            table.Set(address, place);
            return address;
        }
        if (LocationKeys.TryParse(entry.key, LocationKeys.IdentityPrefix, out address))
        {
            if (address.IsOfNoPlace || IdentityText.TryParse(entry.value, out Address host) is not { } identity) return null;
            table.Identities.Set(address, host, identity);
            return address;
        }
        if (LocationKeys.TryParse(entry.key, LocationKeys.NodePrefix, out address))
        {
            if (entry.value.Length is 0 or > LongestName) return null;
            table.SetName(address, Encoding.UTF8.GetString(entry.value));
            return address;
        }
        if (LocationKeys.TryParse(entry.key, LocationKeys.RouterPrefix, out address) && RouterDescription.TryParse(entry.value) is { } router)
        {
            table.SetRouter(address, router);
            return address;
        }
        return null;
    }

    /// <summary>The entry is gone.</summary>
    public static void Remove(LocationTable table, KeyValue entry)
    {
        foreach (string prefix in (ReadOnlySpan<string>)[LocationKeys.AddressPrefix, LocationKeys.IdentityPrefix, LocationKeys.NodePrefix, LocationKeys.RouterPrefix])
        {
            if (LocationKeys.TryParse(entry.key, prefix, out Address address)) Remove(table, prefix, address);
        }
    }

    /// <inheritdoc cref="Remove(LocationTable, KeyValue)"/>
    public static void Remove(LocationTable table, string prefix, Address address)
    {
        if (prefix == LocationKeys.AddressPrefix) table.Remove(address);
        else if (prefix == LocationKeys.IdentityPrefix) table.Identities.Remove(address);
        else if (prefix == LocationKeys.NodePrefix) table.SetName(address, null);
        else table.SetRouter(address, null);
    }
}
