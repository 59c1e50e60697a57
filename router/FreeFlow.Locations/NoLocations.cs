using System;
using System.Threading.Tasks;
using FreeFlow.Locations.Identities;

namespace FreeFlow.Locations;

/// <summary>A single host: what a local process proves is local, everything else lives nowhere.</summary>
public sealed class NoLocations : ILocations
{
    public event Action<LocationChange>? Changed { add { } remove { } }

    public event Action<Address>? IdentityChanged { add { } remove { } }

    public LocationView View { get; } = new("none", LocationState.None, TimeSpan.Zero, 0, 0, 0, null);

    public void Start() { }

    public LocationAnswer Find(Address address, out Host? host)
    {
        host = null;
        return LocationAnswer.Nowhere;
    }

    public Identity? IdentityOf(Address address) => null;

    public void FollowIdentities() { }

    public ValueTask DisposeAsync() => default;
}
