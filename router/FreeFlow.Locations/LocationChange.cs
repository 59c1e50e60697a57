namespace FreeFlow.Locations;

/// <summary>One address and the host it lives on from now on.</summary>
/// <param name="Address">The virtual IP.</param>
/// <param name="Host">Null: nowhere.</param>
public readonly record struct LocationChange(Address Address, Host? Host);
