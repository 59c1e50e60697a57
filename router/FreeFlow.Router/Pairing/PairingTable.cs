using System.Collections.Generic;
using FreeFlow.Contract;

namespace FreeFlow.Router.Pairing;

/// <summary>
/// The ends that wait for their other end, and the rules of what proves a pair (design, "What proves a pair").
/// </summary>
/// <remarks>
/// Inside one network namespace a mirrored four-tuple of two established sockets is proof, since the kernel keeps it unique. Across namespaces it is proof only if both
/// namespaces are the host's own and no second one of those claims either address. In both cases the end that waited must be witnessed alive at
/// the moment of pairing: the router holds no descriptor of it, so that its addresses might have passed to somebody else since it was shown.
/// The newcomer was established a moment ago, and the waiting one both before and after that: so the two lived at the same time.
/// </remarks>
internal sealed class PairingTable(IKernelWitness witness, AddressClaims claims)
{
    private readonly Dictionary<FourTuple, List<ConnectionEnd>> _waiting = [];
    private readonly Dictionary<ulong, ConnectionEnd> _waitingByCookie = [];

    /// <summary>How many ends wait.</summary>
    public int Waiting => _waitingByCookie.Count;

    /// <summary>Looks for the other end of <paramref name="end"/>; without one, it waits.</summary>
    public PairingOutcome Offer(ConnectionEnd end)
    {
        PairingOutcome outcome = new();
        if (_waitingByCookie.TryGetValue(end.Facts.Cookie, out ConnectionEnd? earlier))
        {
            Withdraw(earlier);
            outcome.Forgotten.Add(earlier);
        }
        if (_waiting.TryGetValue(end.Addresses.Mirrored, out List<ConnectionEnd>? mirrored))
        {
            foreach (ConnectionEnd candidate in mirrored.ToArray())
            {
                if (candidate.IsCurrent) continue;
                Withdraw(candidate);
                outcome.Forgotten.Add(candidate);
            }
            if (FindInside(end, mirrored, outcome) || FindAcross(end, mirrored, outcome)) return outcome;
        }
        Wait(end);
        return outcome;
    }

    /// <summary>The end no longer waits; harmless if it did not.</summary>
    public void Withdraw(ConnectionEnd end)
    {
        if (!_waitingByCookie.TryGetValue(end.Facts.Cookie, out ConnectionEnd? waiting) || waiting != end) return;
        _waitingByCookie.Remove(end.Facts.Cookie);
        List<ConnectionEnd> peers = _waiting[end.Addresses];
        peers.Remove(end);
        if (peers.Count == 0) _waiting.Remove(end.Addresses);
    }

    /// <summary>True if what this end shows means something outside its namespace: the namespace is the host's own, and no other one claims the address.</summary>
    public bool IsProvenBeyondNamespace(ConnectionEnd end) => end.Facts.Owner == NamespaceOwner.Host && !end.Addresses.IsLocalToNamespace && OwnsItsAddress(end);

    /// <summary>The end waits, and the kernel says that its socket lives: what its addresses say is true at this moment.</summary>
    public bool IsWaitingAndAlive(ConnectionEnd end) =>
        _waitingByCookie.TryGetValue(end.Facts.Cookie, out ConnectionEnd? waiting) && waiting == end && end.IsCurrent && witness.Ask(end.Facts) == Liveness.Established;

    private void Wait(ConnectionEnd end)
    {
        _waitingByCookie[end.Facts.Cookie] = end;
        if (!_waiting.TryGetValue(end.Addresses, out List<ConnectionEnd>? peers)) _waiting[end.Addresses] = peers = [];
        peers.Add(end);
    }

    /// <summary>True if the matter is settled by an end of the same namespace.</summary>
    private bool FindInside(ConnectionEnd end, List<ConnectionEnd> mirrored, PairingOutcome outcome)
    {
        foreach (ConnectionEnd candidate in mirrored.ToArray())
        {
            // Sockets bound to different interfaces may share one four-tuple; those stay in the kernel.
            if (candidate.Facts.NamespaceCookie != end.Facts.NamespaceCookie || candidate.Facts.BoundInterface != end.Facts.BoundInterface) continue;
            if (Settle(end, candidate, outcome)) return true;
        }
        return false;
    }

    /// <summary>True if the matter is settled by an end of another namespace.</summary>
    private bool FindAcross(ConnectionEnd end, List<ConnectionEnd> mirrored, PairingOutcome outcome)
    {
        if (end.Addresses.IsLocalToNamespace) return false;
        foreach (ConnectionEnd candidate in mirrored.ToArray())
        {
            if (candidate.Facts.NamespaceCookie == end.Facts.NamespaceCookie) continue;
            if (end.Facts.Owner != NamespaceOwner.Host) { outcome.Refused.Add((end, UnprovenReason(end))); return true; }
            if (candidate.Facts.Owner != NamespaceOwner.Host) { Refuse(candidate, UnprovenReason(candidate), outcome); continue; }
            if (!OwnsItsAddress(end) || !OwnsItsAddress(candidate))
            {
                Refuse(candidate, Reason.AmbiguousAddress, outcome);
                outcome.Refused.Add((end, Reason.AmbiguousAddress));
                return true;
            }
            if (Settle(end, candidate, outcome)) return true;
        }
        return false;
    }

    /// <summary>The last question: does the end that waited still live?</summary>
    private bool Settle(ConnectionEnd end, ConnectionEnd candidate, PairingOutcome outcome)
    {
        switch (witness.Ask(candidate.Facts))
        {
            case Liveness.Established:
                Withdraw(candidate);
                outcome.Partner = candidate;
                return true;
            case Liveness.Gone:
                Refuse(candidate, Reason.PeerGone, outcome);
                return false;
            default:
                Refuse(candidate, Reason.NoWitness, outcome);
                outcome.Refused.Add((end, Reason.NoWitness));
                return true;
        }
    }

    private void Refuse(ConnectionEnd waiting, Reason reason, PairingOutcome outcome)
    {
        Withdraw(waiting);
        outcome.Refused.Add((waiting, reason));
    }

    private bool OwnsItsAddress(ConnectionEnd end) => claims.BelongsTo(end.Addresses.Local.Address, end.Facts.NamespaceCookie);

    private static Reason UnprovenReason(ConnectionEnd end) => end.Facts.Owner == NamespaceOwner.Other ? Reason.UnprovenNamespace : Reason.NoWitness;
}
