using System.Collections.Generic;
using FreeFlow.Contract;

namespace FreeFlow.Router.Pairing;

/// <summary>
/// The ends that wait for their other end, and the rules of what proves a pair (design, "What proves a pair").
/// </summary>
/// <remarks>
/// Inside one network namespace a mirrored four-tuple of two established sockets is proof, since the kernel keeps it unique. Across namespaces it is not: whoever may configure a namespace of his
/// own, a container's root with CAP_NET_ADMIN included, gives it a stranger's addresses and makes a connection with the very same four-tuple there. There the initial sequence numbers of both
/// directions are the proof (<see cref="InitialSequence"/>). In both cases the end that waited must be witnessed alive at the moment of pairing: the router holds no descriptor of it, so
/// that its addresses might have passed to somebody else since it was shown. The newcomer was established a moment ago, and the waiting one both before and after that: so the two lived at the
/// same time.
/// </remarks>
internal sealed class PairingTable(IKernelWitness witness)
{
    /// <summary>So many ends that mirror it and are not its other end make an end's addresses too doubtful.</summary>
    public const int MostContradictions = 3;

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

    /// <summary>True if what this end shows can be proven outside its namespace: the namespace is the host's own, and the kernel says where the connection's directions began.</summary>
    public static bool IsProvableBeyondNamespace(ConnectionEnd end) => end.Facts is { Owner: NamespaceOwner.Host, Sequence: not null } && !end.Addresses.IsLocalToNamespace;

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
            if (end.Facts.Sequence is not { } own) { outcome.Refused.Add((end, Reason.NoWitness)); return true; }
            if (candidate.Facts.Sequence is not { } other) { Refuse(candidate, Reason.NoWitness, outcome); continue; }
            if (!own.IsOtherEndOf(other))
            {
                if (Contradict(end, candidate, outcome)) return true;
                continue;
            }
            if (Settle(end, candidate, outcome)) return true;
        }
        return false;
    }

    /// <summary>
    /// Two ends that mirror each other and are not one connection's: one of them is forged, and nobody can tell which. Both wait on for their true other ends, but not for ever: each look at a
    /// forged one is a guess at 64 bits, and nobody gets many. True if the newcomer has had its share.
    /// </summary>
    private bool Contradict(ConnectionEnd end, ConnectionEnd candidate, PairingOutcome outcome)
    {
        if (witness.Ask(candidate.Facts) == Liveness.Gone) { Refuse(candidate, Reason.PeerGone, outcome); return false; }
        if (++candidate.Contradictions >= MostContradictions) Refuse(candidate, Reason.AmbiguousAddress, outcome);
        if (++end.Contradictions < MostContradictions) return false;
        outcome.Refused.Add((end, Reason.AmbiguousAddress));
        return true;
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

    private static Reason UnprovenReason(ConnectionEnd end) => end.Facts.Owner == NamespaceOwner.Other ? Reason.UnprovenNamespace : Reason.NoWitness;
}
