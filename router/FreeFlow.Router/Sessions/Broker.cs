using System;
using System.Linq;
using System.Security.Cryptography;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Contract.Messages;
using FreeFlow.Locations;
using FreeFlow.Native;
using FreeFlow.Router.Fabric;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Observe;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Policy;

namespace FreeFlow.Router.Sessions;

/// <summary>Takes the ends that sessions show, asks the pairing rules, hands out rings, and keeps count for the limits.</summary>
internal sealed class Broker : IRingGiver
{
    private const int MaximumNamespacesPerSession = 16;
    private const int MaximumClaimsPerSession = 1024;

    private readonly RouterOptions _options;
    private readonly IKernelWitness _witness;
    private readonly Statistics _statistics;
    private readonly Log _log;
    private readonly AddressClaims _claims = new();
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
        _pairing = new PairingTable(witness, _claims);
    }

    /// <summary>Who finds the other end of an end on another host; null if there is no fabric.</summary>
    public RemoteBroker? Remote { get; set; }

    /// <summary>What the rules say.</summary>
    public PolicyTable Policy { get; }

    /// <inheritdoc/>
    public ulong FabricRingBytes => _options.FabricRingBytes;

    /// <summary>The ends that wait for their other end.</summary>
    public PairingTable Pairing => _pairing;

    /// <summary>From now on ends that the policy could not decide about are looked at again when more is known, or another policy holds.</summary>
    public void Follow(ILocations locations, Action<Action> post) => _gate.Follow(locations, post, Reconsider);

    /// <summary>A session that said Hello shows a socket. The descriptor is the caller's and may be closed on return.</summary>
    public void Offer(Session session, in Offer offer, int socket)
    {
        Family family = session.Family!;
        if (family.Ends.TryGetValue(offer.Connection, out ConnectionEnd? earlier)) Forget(earlier);
        if (session.Account.Connections >= _options.MaximumConnectionsPerUser) ForgetStale(family);
        if (session.Account.Connections >= _options.MaximumConnectionsPerUser) { Refuse(session, offer.Connection, offer.Generation, Reason.RouterLimit, null); return; }

        Reason reason = _witness.Examine(socket, out SocketFacts? facts);
        if (reason == Reason.None && !Note(session, facts!)) reason = Reason.RouterLimit;
        if (reason != Reason.None) { Refuse(session, offer.Connection, offer.Generation, reason, null); return; }

        ConnectionEnd end = new(session, offer.Connection, offer.Generation, facts!) { IsScarce = offer.Scarce != 0, MarksSent = offer.MarksSent, IsAgain = offer.Again != 0 };
        family.Ends[end.Connection] = end;
        session.Ends.Add(end);
        session.Account.Connections++;
        Seek(end);
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

    /// <summary>The session is over: nothing that it showed waits or counts any more.</summary>
    public void EndSession(Session session)
    {
        foreach (ConnectionEnd end in session.Ends.ToArray()) Forget(end);
        foreach ((InternetAddress address, ulong namespaceCookie) in session.Claims) _claims.Remove(address, namespaceCookie);
        foreach (ulong namespaceCookie in session.Namespaces) _witness.Release(namespaceCookie);
        foreach (Session peer in session.DoorbellGroups.Keys.ToArray()) peer.DoorbellGroups.Remove(session);
        session.Claims.Clear();
        session.Namespaces.Clear();
    }

    /// <summary>Remembers what the shown socket says of the session's place; false if that is more than one session may claim.</summary>
    private bool Note(Session session, SocketFacts facts)
    {
        if (session.Namespaces.Add(facts.NamespaceCookie)) _witness.Retain(facts.NamespaceCookie);
        if (facts.Owner != NamespaceOwner.Host || facts.Addresses.IsLocalToNamespace) return session.Namespaces.Count <= MaximumNamespacesPerSession;
        if (session.Claims.Count >= MaximumClaimsPerSession && !session.Claims.Contains((facts.Addresses.Local.Address, facts.NamespaceCookie))) return false;
        if (session.Claims.Add((facts.Addresses.Local.Address, facts.NamespaceCookie))) _claims.Add(facts.Addresses.Local.Address, facts.NamespaceCookie);
        return session.Namespaces.Count <= MaximumNamespacesPerSession;
    }

    private void Join(ConnectionEnd first, ConnectionEnd second)
    {
        Verdict verdict = Decide(second, Transports.SharedMemory);
        _gate.DecideAlike(first, second.Rule, verdict, Transports.SharedMemory);
        if (verdict == Verdict.Denied) { Refuse(first, Reason.Policy); Refuse(second, Reason.Policy); }
        if (verdict != Verdict.Allowed) return;
        SendRate? firstLimit = RateOf(first, false), secondLimit = RateOf(second, false);
        if (firstLimit is not null || secondLimit is not null || first.IsAgain || second.IsAgain) { Relay(first, firstLimit, second, secondLimit); return; }
        ulong bytes = RingLayout.TotalBytes(_options.RingBytes);
        if (!HasRoom(first, bytes) || !HasRoom(second, bytes)) { Refuse(first, Reason.RouterLimit); Refuse(second, Reason.RouterLimit); return; }
        DoorbellGroup? group = first.IsScarce || second.IsScarce ? DoorbellGroup.Find(first, second) : null;
        using Ring? ring = Ring.TryCreate(_options.RingBytes, withDoorbell: group is null);
        if (ring is null)
        {
            _log.Line($"no memory or descriptors for a ring ({Errno.LastText}): {first} stays in the kernel");
            Refuse(first, Reason.MemoryLimit);
            Refuse(second, Reason.MemoryLimit);
            return;
        }
        Charge(first, bytes);
        Charge(second, bytes);
        // If one of the two cannot be told, the other finds a ring whose peer never becomes ready, and stays in the kernel.
        if (group is null)
        {
            if (first.IsScarce || second.IsScarce) DoorbellGroup.Begin(first, second);
            Tell(first, second.MarksSent, 0, null, [ring.Memory, ring.FirstDoorbell]);
            Tell(second, first.MarksSent, 1, null, [ring.Memory, ring.SecondDoorbell]);
        }
        else
        {
            Tell(first, second.MarksSent, 0, group.MateOf(first, second), [ring.Memory]);
            Tell(second, first.MarksSent, 1, group.MateOf(second, first), [ring.Memory]);
        }
        _statistics.Joined++;
        _log.Detail($"joined {first} of {first.Owner} with {second.Owner}");
    }

    /// <inheritdoc/>
    public MirroredRing? GiveMirrored(ConnectionEnd end, uint marksToFind, ulong capacity, ReadOnlySpan<byte> markFromShim, ReadOnlySpan<byte> markToShim)
    {
        HeldRing? held = HoldMirrored(end, marksToFind, capacity, markFromShim, markToShim);
        held?.Give();
        return held?.Mirrored;
    }

    /// <inheritdoc/>
    public HeldRing? HoldMirrored(ConnectionEnd end, uint marksToFind, ulong capacity, ReadOnlySpan<byte> markFromShim, ReadOnlySpan<byte> markToShim)
    {
        ulong bytes = RingLayout.TotalBytes(capacity);
        if (!HasRoom(end, bytes)) { Refuse(end, Reason.RouterLimit); return null; }
        Ring? ring = Ring.TryCreate(capacity, withDoorbell: true);
        MirroredRing? mirrored = ring is null ? null : MirroredRing.TryCreate(ring, capacity, markFromShim, markToShim);
        if (mirrored is null)
        {
            _log.Line($"no memory or descriptors for a ring ({Errno.LastText}): {end} stays in the kernel");
            ring?.Dispose();
            Refuse(end, Reason.MemoryLimit);
            return null;
        }
        Charge(end, bytes);
        return new HeldRing(ring!, mirrored, end, given =>
        {
            if (!((Session)end.Owner).Ends.Contains(end)) return;
            Tell(end, marksToFind, 0, null, [given.Memory, given.FirstDoorbell], capacity);
            _statistics.Joined++;
        });
    }

    /// <inheritdoc/>
    public void WaitAgain(ConnectionEnd end)
    {
        Session session = (Session)end.Owner;
        if (!session.Ends.Contains(end)) return;
        session.Account.RingBytes -= end.RingBytes;
        if (end.RingBytes != 0) session.Account.Rings--;
        (end.RingBytes, end.Stream) = (0, null);
        Seek(end);
    }

    /// <summary>Joins two ends of this host by a stream through this router, which can hold its bytes back.</summary>
    private void Relay(ConnectionEnd first, SendRate? firstLimit, ConnectionEnd second, SendRate? secondLimit)
    {
        Span<byte> marks = stackalloc byte[2 * RingLayout.ReturnMarkBytes];
        RandomNumberGenerator.Fill(marks);
        ReadOnlySpan<byte> one = marks[..RingLayout.ReturnMarkBytes], other = marks[RingLayout.ReturnMarkBytes..];
        _relay ??= new LocalRelay();
        do { _lastRelayed++; } while (_lastRelayed == 0);
        MirroredRing? ring = GiveMirrored(first, second.MarksSent, FabricRingBytes, one, other);
        MirroredRing? mirror = ring is null ? null : GiveMirrored(second, first.MarksSent, FabricRingBytes, other, one);
        // If the second cannot have one, the first finds its doorbell closed, and goes on in the kernel.
        if (mirror is null) { ring?.Dispose(); return; }
        second.Stream = (_relay.Second, _lastRelayed);
        first.Stream = (_relay.First, _lastRelayed);
        _relay.Second.Carry(new FabricStream(_lastRelayed, _lastRelayed, mirror, speaksFirst: false, second.ToString()) { Limit = secondLimit, Borrow = (second.Owner as Session)?.BorrowerOf(second) });
        _relay.First.Carry(new FabricStream(_lastRelayed, _lastRelayed, ring!, speaksFirst: true, first.ToString()) { Limit = firstLimit, Borrow = (first.Owner as Session)?.BorrowerOf(first) });
    }

    /// <inheritdoc/>
    public Verdict Decide(ConnectionEnd end, Transports ways) => _gate.Decide(end, ways);

    /// <inheritdoc/>
    public SendRate? RateOf(ConnectionEnd end) => RateOf(end, true);

    private SendRate? RateOf(ConnectionEnd end, bool toAnotherHost) => Policy.RateOf(end, ((Session)end.Owner).Container, toAnotherHost);

    /// <inheritdoc/>
    public void DenyByPolicy(ConnectionEnd end) => Refuse(end, Reason.Policy);

    /// <summary>Proves and decides anew: the connections may have changed hands meanwhile.</summary>
    private void Reconsider(ConnectionEnd[] ends)
    {
        foreach (ConnectionEnd end in ends) _pairing.Withdraw(end);
        foreach (ConnectionEnd end in ends)
        {
            if (((Session)end.Owner).Ends.Contains(end) && !end.IsUndecided) Seek(end);
        }
    }

    private void Tell(ConnectionEnd end, uint marksToFind, uint side, ConnectionEnd? mate, ReadOnlySpan<int> descriptors, ulong? capacity = null)
    {
        Span<byte> message = stackalloc byte[Protocol.MaximumMessageBytes];
        Join join = new() { Connection = end.Connection, Generation = end.Generation, Side = side, Capacity = capacity ?? _options.RingBytes, MarksToFind = marksToFind };
        if (mate is not null) join = join with { Mate = mate.Connection + 1, MateGeneration = mate.Generation };
        int length = join.Write(message);
        ((Session)end.Owner).Send(message[..length], descriptors);
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
        _log.Detail($"refused {end?.ToString() ?? $"connection {connection}"} of {session}: {Words.Of(reason)}");
    }

    private bool HasRoom(ConnectionEnd end, ulong bytes)
    {
        UserAccount account = ((Session)end.Owner).Account;
        return account.Rings < _options.MaximumRingsPerUser && account.RingBytes + bytes <= _options.MaximumRingBytesPerUser;
    }

    private static void Charge(ConnectionEnd end, ulong bytes)
    {
        end.RingBytes = bytes;
        ((Session)end.Owner).Account.RingBytes += bytes;
        ((Session)end.Owner).Account.Rings++;
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
        session.Account.RingBytes -= end.RingBytes;
        if (end.RingBytes != 0) session.Account.Rings--;
    }
}
