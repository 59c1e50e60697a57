using System.Threading;
using FreeFlow.Locations;
using FreeFlow.Locations.Identities;

namespace FreeFlow.Router.Policy;

/// <summary>Connections between those that two selectors speak of, whoever opened them, and what they may go over.</summary>
internal sealed class PolicyRule(string name, Selector from, Selector to, Transports over)
{
    private long _decided;

    public string Name { get; } = name;

    public Transports Over { get; } = over;

    /// <summary>True if it goes by more than addresses.</summary>
    public bool NeedsIdentities => from.NeedsIdentity || to.NeedsIdentity;

    /// <summary>How many connections it has decided about.</summary>
    public long Decided => Volatile.Read(ref _decided);

    /// <summary>Whether it speaks of connections between these two, each with who has it, null if that is not known.</summary>
    public Match Covers((Address Address, Identity? Who) local, (Address Address, Identity? Who) remote)
    {
        Match there = Both(from.Of(local.Address, local.Who), to.Of(remote.Address, remote.Who));
        if (there == Match.Yes) return there;
        Match back = Both(from.Of(remote.Address, remote.Who), to.Of(local.Address, local.Who));
        return there > back ? there : back;
    }

    public void Count() => Interlocked.Increment(ref _decided);

    private static Match Both(Match one, Match other) => one < other ? one : other;
}
