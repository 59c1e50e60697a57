namespace FreeFlow.Locations;

/// <summary>What <see cref="ILocations.Find"/> says.</summary>
public enum LocationAnswer
{
    /// <summary>Not known yet; ask again after <see cref="ILocations.Changed"/>.</summary>
    Unknown,

    /// <summary>No host claims the address.</summary>
    Nowhere,

    /// <summary>The host was found.</summary>
    Found,
}
