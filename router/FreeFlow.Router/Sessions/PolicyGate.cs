using System;
using System.Threading;
using FreeFlow.Locations;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Policy;

namespace FreeFlow.Router.Sessions;

/// <summary>Asks the policy about ends, and has those looked at again about which it could not say anything, when more is known of their addresses or another policy holds.</summary>
internal sealed class PolicyGate(PolicyTable policy, Log log)
{
    private readonly Undecided _undecided = new();
    private Action<Action> _post = _ => { };
    private Action<ConnectionEnd[]> _reconsider = _ => { };

    /// <summary>From now on news counts; <paramref name="reconsider"/> gets the ends on the event loop's thread.</summary>
    public void Follow(ILocations locations, Action<Action> post, Action<ConnectionEnd[]> reconsider)
    {
        (_post, _reconsider) = (post, reconsider);
        locations.IdentityChanged += Hear;
        locations.Changed += change => Hear(change.Address);
        policy.Changed += () => post(() => reconsider(_undecided.TakeAll()));
    }

    /// <summary>What the policy says about the connection; noted with the end.</summary>
    public Verdict Decide(ConnectionEnd end, Transports ways)
    {
        (Verdict verdict, PolicyRule rule) = policy.Decide(end.Addresses, ways);
        DecideAlike(end, rule.Name, verdict, ways);
        return verdict;
    }

    /// <summary>The other end of the same connection, about which the same holds.</summary>
    public void DecideAlike(ConnectionEnd end, string? rule, Verdict verdict, Transports ways)
    {
        end.Rule = rule;
        if (verdict == Verdict.Open) Await(end, ways); else Forget(end);
    }

    /// <summary>It is gone, or decided.</summary>
    public void Forget(ConnectionEnd end) => _undecided.Remove(end);

    private void Await(ConnectionEnd end, Transports ways)
    {
        if (end.IsUndecided) return;
        _undecided.Add(end);
        log.WaitsForLabels(end.Rule, end);
        // What became known while it was being decided about found nobody waiting.
        if (policy.Look(end.Addresses, ways).Verdict != Verdict.Open) _post(() => _reconsider(_undecided.TakeWith(end.Addresses.Local.Address)));
    }

    private void Hear(Address address)
    {
        // After the news and before the look: who begins to wait only now finds the news.
        Interlocked.MemoryBarrier();
        if (_undecided.Any) _post(() => _reconsider(_undecided.TakeWith(new InternetAddress(address.Value))));
    }
}
