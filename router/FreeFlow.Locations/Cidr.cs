using System;
using System.Globalization;

namespace FreeFlow.Locations;

/// <summary>A network such as 10.0.0.0/8 or fd00::/8.</summary>
/// <param name="Network">Its first address.</param>
/// <param name="Length">Bits that count, of 128: an IPv4 network has 96 more than it is written with.</param>
public readonly record struct Cidr(Address Network, int Length)
{
    /// <summary>True if the address is in the network.</summary>
    public bool Contains(Address address) => Length == 0 || (address.Value ^ Network.Value) >> (128 - Length) == 0;

    /// <summary>Reads "10.0.0.0/8"; an address alone is a network of one. "0.0.0.0/0" means every IPv4 address.</summary>
    public static bool TryParse(string text, out Cidr cidr)
    {
        cidr = default;
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        if (!Address.TryParse(slash < 0 ? text : text[..slash], out Address address)) return false;
        int most = address.IsIPv4 ? 32 : 128, length = most;
        if (slash >= 0 && (!int.TryParse(text[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out length) || length > most)) return false;
        length += 128 - most;
        UInt128 mask = length == 0 ? 0 : UInt128.MaxValue << (128 - length);
        cidr = new(new(address.Value & mask), length);
        return true;
    }
}
