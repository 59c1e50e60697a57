namespace FreeFlow.Lab.Hosts;

/// <summary>A container of the laboratory.</summary>
/// <param name="Name">Unique on its host.</param>
/// <param name="Address4">Its IPv4 address in the overlay.</param>
/// <param name="Address6">Its IPv6 address in the overlay.</param>
public sealed record ContainerDescription(string Name, string Address4, string Address6);
