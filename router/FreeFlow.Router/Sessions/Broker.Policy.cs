using System;
using FreeFlow.Contract;
using FreeFlow.Locations;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Policy;

namespace FreeFlow.Router.Sessions;

/// <content>What the policy says about ends, and what follows from it.</content>
internal sealed partial class Broker
{
    /// <summary>From now on ends that the policy could not decide about are looked at again when more is known, or another policy holds.</summary>
    public void Follow(ILocations locations, Action<Action> post) => _gate.Follow(locations, post, Reconsider);

    /// <inheritdoc/>
    public Verdict Decide(ConnectionEnd end, Transports ways) => _gate.Decide(end, ways);

    /// <inheritdoc/>
    public SendRate? RateOf(ConnectionEnd end) => RateOf(end, true);

    private SendRate? RateOf(ConnectionEnd end, bool toAnotherHost) => Policy.RateOf(end, ((Session)end.Owner).Container, toAnotherHost);

    /// <inheritdoc/>
    public void DenyByPolicy(ConnectionEnd end) => Refuse(end, Reason.Policy);

    /// <inheritdoc/>
    public void Doubt(ConnectionEnd end)
    {
        if (++end.Contradictions >= PairingTable.MostContradictions) Refuse(end, Reason.AmbiguousAddress);
    }

    /// <summary>Proves and decides anew: the connections may have changed hands meanwhile.</summary>
    private void Reconsider(ConnectionEnd[] ends)
    {
        foreach (ConnectionEnd end in ends) _pairing.Withdraw(end);
        foreach (ConnectionEnd end in ends)
        {
            if (((Session)end.Owner).Ends.Contains(end) && !end.IsUndecided) Seek(end);
        }
    }
}
