using FreeFlow.Locations;
using FreeFlow.Locations.Identities;

namespace FreeFlow.Router.Policy;

/// <summary>Which addresses a side of a rule speaks of: those of a network that meet every requirement.</summary>
internal sealed class Selector(Cidr network, Requirement[] requirements)
{
    /// <summary>True if it goes by more than addresses.</summary>
    public bool NeedsIdentity => requirements.Length > 0;

    /// <param name="address">A connection's end.</param>
    /// <param name="identity">Who has it; null: not known.</param>
    public Match Of(Address address, Identity? identity)
    {
        if (!network.Contains(address)) return Match.No;
        if (requirements.Length == 0) return Match.Yes;
        // Such a connection does not leave its container, and the address is no virtual IP: nobody ever gives it labels.
        if (address.IsOfNoPlace) return Match.No;
        Match all = Match.Yes;
        foreach (Requirement requirement in requirements)
        {
            Match one = requirement.Of(identity);
            if (one < all) all = one;
        }
        return all;
    }
}
