using System;
using FreeFlow.Locations.Identities;

namespace FreeFlow.Locations;

/// <summary>Where virtual IPs live. Three sources: <see cref="NoLocations"/>, <see cref="FileLocations"/>, <see cref="EtcdLocations"/>.</summary>
public interface ILocations : IAsyncDisposable
{
    /// <summary>Begins to learn; returns at once, whatever state the source is in.</summary>
    void Start();

    /// <summary>Where <paramref name="address"/> lives, out of memory: no system call, no allocation for an address that is known, any thread.
    /// <see cref="LocationAnswer.Unknown"/> means that the source was asked just now and <see cref="Changed"/> will say.</summary>
    LocationAnswer Find(Address address, out Host? host);

    /// <summary>Who has an address, by the word of the host that it lives on, out of memory; null: not known (yet). Any thread. Where identities are learnt on demand this is one.</summary>
    Identity? IdentityOf(Address address);

    /// <summary>Identities are wanted, too: where they cost something they are learnt from now on.</summary>
    void FollowIdentities();

    /// <summary>How good the view is; during an outage it is the last one, and says its age.</summary>
    LocationView View { get; }

    /// <summary>An address lives elsewhere now, or nowhere. Called on a thread of the source, in order; must return soon and not throw.</summary>
    event Action<LocationChange>? Changed;

    /// <summary>What is known of who has an address has changed. As <see cref="Changed"/>.</summary>
    event Action<Address>? IdentityChanged;
}
