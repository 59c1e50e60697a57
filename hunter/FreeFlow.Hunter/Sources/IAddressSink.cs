using FreeFlow.Locations;

namespace FreeFlow.Hunter.Sources;

/// <summary>Hears what the sources find; any thread.</summary>
internal interface IAddressSink
{
    /// <summary>The address is there. Saying it again is harmless.</summary>
    /// <param name="source">Who says so.</param>
    /// <param name="address">The virtual IP.</param>
    /// <param name="finding">Where it lives, and who has it.</param>
    void Set(IAddressSource source, Address address, Finding finding);

    /// <summary>The address is gone.</summary>
    void Remove(IAddressSource source, Address address);

    /// <summary>A node's name; null: the node is gone.</summary>
    void SetNode(Address node, string? name);

    /// <summary>Everything that there is at start has been said; what comes now is new.</summary>
    void Complete(IAddressSource source);
}
