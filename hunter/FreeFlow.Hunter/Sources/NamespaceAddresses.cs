using System;
using System.Collections.Generic;
using System.Globalization;
using FreeFlow.Locations;

namespace FreeFlow.Hunter.Sources;

/// <summary>Reads what the kernel writes about a namespace's own addresses.</summary>
internal static class NamespaceAddresses
{
    /// <summary>Its addresses, without those that every namespace has.</summary>
    /// <param name="fibTrie">/proc/net/fib_trie: "|-- 10.0.0.1", and under it "/32 host LOCAL" if the address is the namespace's own.</param>
    /// <param name="ifInet6">/proc/net/if_inet6: the address as 32 hexadecimal digits, then index, prefix length, scope, flags, name.</param>
    public static IReadOnlyList<Address> Parse(string fibTrie, string ifInet6)
    {
        HashSet<Address> found = [];
        Address last = default;
        foreach (ReadOnlySpan<char> line in fibTrie.AsSpan().EnumerateLines())
        {
            ReadOnlySpan<char> text = line.Trim();
            if (text.StartsWith("|-- ")) _ = Address.TryParse(new string(text[4..]), out last);
            else if (text.EndsWith("host LOCAL") && last != default && !last.IsOfNoPlace) found.Add(last);
        }
        foreach (ReadOnlySpan<char> line in ifInet6.AsSpan().EnumerateLines())
        {
            if (line.Length < 32 || !UInt128.TryParse(line[..32], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out UInt128 value)) continue;
            if (!new Address(value).IsOfNoPlace) found.Add(new(value));
        }
        return [.. found];
    }
}
