namespace FreeFlow.Locations;

/// <summary>A host that virtual IPs live on. One object per host and view; it changes only by being replaced.</summary>
/// <param name="Address">Its address on the network between the hosts.</param>
/// <param name="Name">The node's name, if the source says one.</param>
/// <param name="Router">What its router says of itself; null until one has published it.</param>
public sealed record Host(Address Address, string? Name, RouterDescription? Router);
