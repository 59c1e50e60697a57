using System;
using System.Collections.Generic;
using System.Linq;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Contract.Messages;
using FreeFlow.Router.Fabric;
using FreeFlow.Router.Fabric.Journal;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Observe;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Policy;
using FreeFlow.Router.Verbs;

namespace FreeFlow.Router.Sessions;

/// <summary>Takes the ends that sessions show, asks the pairing rules, hands out rings, and keeps count for the limits.</summary>
internal sealed partial class Broker : IRingGiver
{
    private const int MaximumNamespacesPerSession = 16;
    private const int MaximumNamespacesPerUser = 4096;

    /// <summary>Of a session that is over: a millisecond's work.</summary>
    internal const int EndsAtATime = 1024;

    private readonly RouterOptions _options;
    private readonly IKernelWitness _witness;
    private readonly Statistics _statistics;
    private readonly Log _log;
    private readonly PairingTable _pairing;
    private readonly PolicyGate _gate;
    private LocalRelay? _relay;
    private uint _lastRelayed;

    public Broker(RouterOptions options, IKernelWitness witness, PolicyTable policy, Statistics statistics, Log log)
    {
        _options = options;
        _witness = witness;
        Policy = policy;
        _gate = new PolicyGate(policy, log);
        _statistics = statistics;
        _log = log;
        Verbs = new VerbsBroker(log);
        Questions = new ForeignQuestions(options);
        _pairing = new PairingTable(witness);
        Kept = new KeptRings(options.MaximumRingsPerUser, options.MaximumRingBytesPerUser);
        if (!MemoryHandle.IsToBeHad) log.CannotSeeMemory();
    }

    /// <summary>Who finds the other end of an end on another host; null if there is no fabric.</summary>
    public RemoteBroker? Remote { get; set; }

    /// <summary>What is asked about shown sockets.</summary>
    public ForeignQuestions Questions { get; }

    /// <summary>Where rings are written down for the router that comes after this one; null: nowhere.</summary>
    public RingJournal? Journal { get; init; }

    /// <summary>What the rules say.</summary>
    public PolicyTable Policy { get; }

    /// <inheritdoc/>
    public ulong MirroredRingBytes => _rings <= FewRings ? _options.FabricRingBytes : Math.Max(_options.FabricRingBytes / 4, RingLayout.MinimumCapacity);

    /// <summary>Rings that programs keep behind their end.</summary>
    public KeptRings Kept { get; }

    /// <summary>The ends that wait for their other end.</summary>
    public PairingTable Pairing => _pairing;

    /// <summary>A session that said Hello shows a socket. True: the descriptor is taken over, and the session asks (<see cref="ForeignQuestions"/>).</summary>
    public bool Offer(Session session, Offer offer, int socket)
    {
        Family family = session.Family!;
        if (family.Ends.TryGetValue(offer.Connection, out ConnectionEnd? earlier)) Forget(earlier);
        if (session.Account.Connections >= _options.MaximumConnectionsPerUser) ForgetStale(family);
        Reason reason = session.Account.Connections >= _options.MaximumConnectionsPerUser ? Reason.RouterLimit : session.WaitsUnseen ? Reason.ReadinessOutOfSight : Reason.None;
        if (reason != Reason.None) { Refuse(session, offer.Connection, offer.Generation, reason, null); return false; }
        Questions.Ask(session, socket, _witness.Read, shown => Take(session, offer, shown));
        return true;
    }

    /// <summary>The socket has said what it is.</summary>
    private void Take(Session session, in Offer offer, ShownSocket shown)
    {
        Family family = session.Family!;
        SocketFacts? facts = null;
        // A relative may have taken the place meanwhile.
        if (family.Ends.TryGetValue(offer.Connection, out ConnectionEnd? earlier)) Forget(earlier);
        Reason reason = session.Account.Connections >= _options.MaximumConnectionsPerUser ? Reason.RouterLimit : _witness.Examine(shown, out facts);
        if (reason == Reason.None && !Note(session, facts!)) reason = Reason.RouterLimit;
        if (reason != Reason.None && facts is not null) _witness.ReleaseUnused(facts.NamespaceCookie);
        if (reason != Reason.None) { Refuse(session, offer.Connection, offer.Generation, reason, null); return; }

        ConnectionEnd end = new(session, offer.Connection, offer.Generation, facts!) { IsScarce = offer.Scarce != 0, MarksSent = offer.MarksSent, Place = BelievedPlace(family, offer, out bool known), IsPlaceKnown = known };
        family.Ends[end.Connection] = end;
        session.Ends.Add(end);
        session.Account.Connections++;
        Seek(end);
    }

    /// <summary>A session shows a socket for which this router has no descriptor left.</summary>
    public void RefuseUnseen(Session session, in Offer offer)
    {
        if (session.Family!.Ends.TryGetValue(offer.Connection, out ConnectionEnd? earlier)) Forget(earlier);
        Refuse(session, offer.Connection, offer.Generation, Reason.RouterLimit, null);
    }

    /// <summary>Looks for an end's other end, here and elsewhere.</summary>
    private void Seek(ConnectionEnd end)
    {
        PairingOutcome outcome = _pairing.Offer(end);
        foreach (ConnectionEnd forgotten in outcome.Forgotten) Forget(forgotten);
        foreach ((ConnectionEnd refused, Reason why) in outcome.Refused) Refuse(refused, why);
        if (outcome.Partner is not null)
        {
            Remote?.Forget(outcome.Partner);
            Join(outcome.Partner, end);
        }
        else if (((Session)end.Owner).Ends.Contains(end)) Remote?.Waits(end);
    }

    /// <summary>A process of the family has closed a connection that it or another one of them showed.</summary>
    public void Withdraw(Session session, in Withdraw withdraw)
    {
        if (!session.Family!.Ends.TryGetValue(withdraw.Connection, out ConnectionEnd? end) || end.Generation != withdraw.Generation) return;
        if (end.Stream is { } stream) stream.Link.Leave(stream.Number);
        Forget(end);
    }

    /// <summary>
    /// The session is over: nothing that it showed waits or counts any more. A part of that, if it is much; false if it has to be called again. In between others are served.
    /// </summary>
    public bool EndSession(Session session)
    {
        foreach (ConnectionEnd end in session.Ends.Take(EndsAtATime).ToArray()) Forget(end);
        if (session.Ends.Count > 0) return false;
        foreach (ulong namespaceCookie in session.Namespaces)
        {
            _witness.Release(namespaceCookie);
            if (--session.Account.Namespaces[namespaceCookie] == 0) session.Account.Namespaces.Remove(namespaceCookie);
        }
        foreach (Session peer in session.DoorbellGroups.Keys.ToArray()) peer.DoorbellGroups.Remove(session);
        session.Namespaces.Clear();
        return true;
    }

    /// <summary>Remembers what the shown socket says of the session's place; false if that is more than one session, or one user, may have.</summary>
    private bool Note(Session session, SocketFacts facts)
    {
        if (!session.Namespaces.Contains(facts.NamespaceCookie))
        {
            Dictionary<ulong, int> ofUser = session.Account.Namespaces;
            if (session.Namespaces.Count >= MaximumNamespacesPerSession || (ofUser.Count >= MaximumNamespacesPerUser && !ofUser.ContainsKey(facts.NamespaceCookie))) return false;
            session.Namespaces.Add(facts.NamespaceCookie);
            ofUser[facts.NamespaceCookie] = ofUser.GetValueOrDefault(facts.NamespaceCookie) + 1;
            _witness.Retain(facts.NamespaceCookie);
        }
        return true;
    }

    private void Refuse(ConnectionEnd end, Reason reason)
    {
        if (reason == Reason.Policy) ((Session)end.Owner).Family!.Denials[end.Connection] = (end.Generation, end.Rule!);
        Forget(end);
        Refuse((Session)end.Owner, end.Connection, end.Generation, reason, end);
    }

    private void Refuse(Session session, uint connection, uint generation, Reason reason, ConnectionEnd? end)
    {
        Span<byte> message = stackalloc byte[Protocol.MaximumMessageBytes];
        int length = new Refuse { Connection = connection, Generation = generation, Reason = (uint)reason }.Write(message);
        session.Send(message[..length], default);
        _statistics.Count(reason);
        if (end is null) _log.ConnectionRefused(connection, session, Words.Of(reason));
        else _log.Refused(end, session, Words.Of(reason));
    }

    /// <summary>At most once a second: a family at its limit could else keep this thread busy with looking through all it has shown.</summary>
    private void ForgetStale(Family family)
    {
        long now = Environment.TickCount64;
        if (now - family.LookedForStale < 1000) return;
        family.LookedForStale = now;
        foreach (ConnectionEnd end in family.Ends.Values.ToArray())
        {
            if (!end.IsCurrent) Forget(end);
        }
    }

    private void Forget(ConnectionEnd end)
    {
        Session session = (Session)end.Owner;
        if (!session.Ends.Remove(end)) return;
        _pairing.Withdraw(end);
        _gate.Forget(end);
        Remote?.Forget(end);
        if (session.Family!.Ends.TryGetValue(end.Connection, out ConnectionEnd? current) && current == end) session.Family.Ends.Remove(end.Connection);
        session.Account.Connections--;
        Discharge(end);
    }
}
