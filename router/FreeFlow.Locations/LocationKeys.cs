using System;
using System.Text;

namespace FreeFlow.Locations;

/// <summary>The names and values of everything FreeFlow keeps in etcd; docs/etcd.md says the same for people.
/// The first two are k8s-freeflow's and stay byte for byte; what needs more room goes under <see cref="OwnPrefix"/>.</summary>
public static class LocationKeys
{
    /// <summary>+ virtual IP → address of its host, plain text. Written by the hunter.</summary>
    public const string AddressPrefix = "Microsoft/FreeFlow/";

    /// <summary>+ host's address → its name, plain text. Written by the hunter.</summary>
    public const string NodePrefix = "Kubernetes/Nodes/";

    /// <summary>Everything of ours; the number changes with any change that an older reader would misread.</summary>
    public const string OwnPrefix = "FreeFlow/v1/";

    /// <summary>+ host's address → <see cref="RouterDescription"/> as JSON. Written by the router.</summary>
    public const string RouterPrefix = OwnPrefix + "routers/";

    /// <summary>+ host's address → {"lease":"…","name":"…"}: the hunter that serves this host. Written by the hunter.</summary>
    public const string HunterPrefix = OwnPrefix + "hunters/";

    /// <summary>+ virtual IP → who has it, as <see cref="Identities.IdentityText"/> writes it. Written by the hunter.</summary>
    public const string IdentityPrefix = OwnPrefix + "identities/";

    /// <summary>The address a key ends with; false for a key of another prefix, or with something else after it.</summary>
    public static bool TryParse(ReadOnlySpan<byte> key, string prefix, out Address address)
    {
        address = default;
        Span<byte> start = stackalloc byte[prefix.Length];
        Encoding.ASCII.GetBytes(prefix, start);
        return key.StartsWith(start) && Address.TryParse(key[prefix.Length..], out address);
    }
}
