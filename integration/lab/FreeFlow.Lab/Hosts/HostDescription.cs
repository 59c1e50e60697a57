using System.Collections.Generic;

namespace FreeFlow.Lab.Hosts;

/// <summary>A host of the laboratory.</summary>
/// <param name="Name">Unique.</param>
/// <param name="Address">Its address on the underlay.</param>
/// <param name="Gateway">Its address in the overlay, which its containers' default route names.</param>
/// <param name="Containers">What runs on it.</param>
/// <param name="Daemons">Of "router" and "hunter", those that are started with it.</param>
/// <param name="Link">Its cable.</param>
public sealed record HostDescription(
    string Name, string Address, string Gateway, IReadOnlyList<ContainerDescription> Containers, IReadOnlyList<string> Daemons, LinkDescription Link);
