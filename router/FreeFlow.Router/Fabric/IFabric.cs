using System;
using FreeFlow.Router.Fabric.Links;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Fabric;

/// <summary>
/// The ways to other hosts' routers. What runs over a link is the same for every transport (docs/fabric.md): bytes placed at their position in the ring on the other
/// host, followed by its index, and words. TCP carries both in frames; a transport that can write into the other host's memory would place them itself.
/// </summary>
internal interface IFabric : IDisposable
{
    /// <summary>Begins to listen, and to tell what happens.</summary>
    void Start(IFabricEvents events);

    /// <summary>Reads what proves this router's identity again, for links that are made from now on; throws <see cref="RouterException"/> if that cannot be read, and goes on as before.</summary>
    void ReadCertificates();

    /// <summary>A link to that host, or null if there is none now: then one is being made, again and again while somebody asks, and <see cref="IFabricEvents.Up"/> tells. Any thread.</summary>
    IFabricLink? LinkTo(InternetAddress host, int port);

    /// <summary>The link to that host that there is now, or null. Any thread.</summary>
    IFabricLink? Find(InternetAddress host);
}
