using FreeFlow.Locations;
using FreeFlow.Locations.Identities;

namespace FreeFlow.Hunter.Sources;

/// <summary>What a source says of a virtual IP.</summary>
/// <param name="LivesOn">Zero: this node.</param>
/// <param name="Who">Who has it; null: the source does not know.</param>
internal readonly record struct Finding(Address LivesOn, Identity? Who = null);
