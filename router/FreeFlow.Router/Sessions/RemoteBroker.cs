using System;
using System.Collections.Generic;
using System.Linq;
using System.Security.Cryptography;
using FreeFlow.Contract.Layout;
using FreeFlow.Locations;
using FreeFlow.Router.Fabric;
using FreeFlow.Router.Fabric.Links;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Fabric.Wire;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Policy;

namespace FreeFlow.Router.Sessions;

/// <summary>
/// Joins ends here with ends on other hosts. Each router offers its waiting end to the router of the host where the locations place the other one; the one whose end
/// has the higher address and port accepts. Both have then proved it: each believes its own kernel for its own end, and for the other one the router that the locations
/// name for that address. The two kernels must agree about where the connection's directions began: a container of either host that has given itself a neighbour's addresses knows no such numbers. All of it runs on the event loop's thread; what links tell is posted there.
/// </summary>
internal sealed class RemoteBroker : IFabricEvents
{
    /// <summary>Offers of one other router that are kept for an end that has not been shown here yet.</summary>
    private const int MaximumOffersPerHost = 65536;

    /// <summary>Offers of one other router with the same addresses: of forged ends all but one.</summary>
    private const int MostAlike = 8;

    private readonly IFabric _fabric;
    private readonly ILocations _locations;
    private readonly InternetAddress _self;
    private readonly PairingTable _pairing;
    private readonly IRingGiver _giver;
    private readonly Log _log;
    private readonly Action<Action> _post;

    private readonly Dictionary<uint, RemoteEnd> _ours = [];
    private readonly Dictionary<ConnectionEnd, RemoteEnd> _byEnd = [];
    private readonly Dictionary<InternetAddress, HashSet<ConnectionEnd>> _byRemote = [];
    private readonly Dictionary<(FourTuple Addresses, InternetAddress Host), List<TheirOffer>> _theirs = [];
    private readonly Dictionary<IFabricLink, Dictionary<uint, FourTuple>> _theirsByLink = [];
    private uint _lastNumber;

    public RemoteBroker(IFabric fabric, ILocations locations, InternetAddress self, PairingTable pairing, IRingGiver giver, Log log, Action<Action> post)
    {
        _fabric = fabric;
        _locations = locations;
        _self = self;
        _pairing = pairing;
        _giver = giver;
        _log = log;
        _post = post;
        locations.Changed += change => post(() => Moved(new InternetAddress(change.Address.Value)));
    }

    /// <summary>Links that are up.</summary>
    public IReadOnlyCollection<IFabricLink> Links => _theirsByLink.Keys;

    /// <summary>Connections whose other end was found on another host, so far.</summary>
    public long Joined { get; private set; }

    /// <summary>Bytes that links which are lost have carried, there and back.</summary>
    public (long Sent, long Received) EarlierBytes { get; private set; }

    /// <summary>An end was shown whose other end is not on this host, as far as is known.</summary>
    public void Waits(ConnectionEnd end)
    {
        if (!PairingTable.IsProvableBeyondNamespace(end)) return;
        InternetAddress remote = end.Addresses.Remote.Address;
        // An address that nobody knows may be published later.
        if (!_byRemote.TryGetValue(remote, out HashSet<ConnectionEnd>? ends)) _byRemote[remote] = ends = [];
        ends.Add(end);
        if (HostOf(remote, out Host? host) is { } place && place != _self) Offer(end, place, host!);
    }

    /// <summary>The end is closed, or joined on this host; harmless if it never waited.</summary>
    public void Forget(ConnectionEnd end)
    {
        Unlist(end);
        if (!_byEnd.Remove(end, out RemoteEnd? ours)) return;
        _ours.Remove(ours.Number);
        // A stream ends by itself, when the shim has closed its doorbell.
        if (ours.Carrier is null) TakeBack(ours);
    }

    /// <summary>A router that was not told of it, or by a link that is lost, need not hear that it is no more.</summary>
    private void TakeBack(RemoteEnd ours)
    {
        if (_fabric.Find(ours.Host) is { } link && ours.OfferedBy == link) link.Send(FrameType.Withdraw, ours.Number, default);
    }

    void IFabricEvents.Up(IFabricLink link) => _post(() => Up(link));

    void IFabricEvents.Down(IFabricLink link, string reason) => _post(() => Down(link));

    void IFabricEvents.Received(IFabricLink link, FrameType type, ulong position, byte[] message)
    {
        // A router that says more than can be done here has to wait, by TCP's means.
        link.Unheard.Wait();
        _post(() =>
        {
            link.Unheard.Release();
            Received(link, type, position, message);
        });
    }

    private void Offer(ConnectionEnd end, InternetAddress place, Host host)
    {
        if (_byEnd.ContainsKey(end)) return;
        Verdict verdict = _giver.Decide(end, Transports.Fabric);
        if (verdict == Verdict.Denied) _giver.DenyByPolicy(end);
        if (verdict != Verdict.Allowed) return;
        do { _lastNumber++; } while (_lastNumber == 0 || _ours.ContainsKey(_lastNumber));
        RemoteEnd ours = _ours[_lastNumber] = _byEnd[end] = new RemoteEnd(_lastNumber, end, place);
        if (AcceptKnown(ours)) return;
        if (_fabric.LinkTo(place, host.Router?.Port is > 0 and int port ? port : FabricOptions.DefaultPort) is not { } link) return;
        // Unless the other router offers its other end it stays in the kernel, until the link is made anew.
        if (!link.IsCrowded) Offer(ours, link);
    }

    /// <summary>True if the other router has offered the other end, and this one is the one to accept.</summary>
    private bool AcceptKnown(RemoteEnd ours) =>
        Find(ours.End, ours.Host) is { } theirs && Accept(ours, theirs);

    /// <summary>The other end of one here, if that host's router has offered it.</summary>
    private TheirOffer? Find(ConnectionEnd end, InternetAddress host) =>
        _theirs.TryGetValue((end.Addresses.Mirrored, host), out List<TheirOffer>? alike) ? alike.Find(theirs => IsOtherEnd(end, theirs.Sequence)) : null;

    private static bool IsOtherEnd(ConnectionEnd end, InitialSequence theirs) => end.Facts.Sequence is { } own && own.IsOtherEndOf(theirs);

    private static void Offer(RemoteEnd ours, IFabricLink link)
    {
        ours.OfferedBy = link;
        Span<byte> message = stackalloc byte[(int)FrameHeader.MaximumMessageBytes];
        int length = new FabricOffer { Number = ours.Number, Addresses = ours.End.Addresses, MarksSent = ours.End.MarksSent, Sequence = ours.End.Facts.Sequence!.Value, Place = ours.End.Place }.Write(message);
        link.Send(FrameType.Offer, 0, message[..length]);
    }

    private void Up(IFabricLink link)
    {
        _theirsByLink[link] = [];
        foreach (RemoteEnd ours in _ours.Values)
        {
            if (ours.Host == link.Host && ours.Carrier is null) Offer(ours, link);
        }
    }

    private void Down(IFabricLink link)
    {
        EarlierBytes = (EarlierBytes.Sent + link.BytesSent, EarlierBytes.Received + link.BytesReceived);
        if (_theirsByLink.Remove(link, out Dictionary<uint, FourTuple>? offers))
        {
            foreach ((uint number, FourTuple offer) in offers) ForgetTheirs(link, number, offer);
        }
        // Joined ends live on in the kernel; their shims offer them anew if they can.
        foreach (RemoteEnd ours in _ours.Values.Where(end => end.Carrier == link).ToArray())
        {
            Drop(ours);
            Unlist(ours.End);
        }
    }

    private void Received(IFabricLink link, FrameType type, ulong position, byte[] message)
    {
        if (!_theirsByLink.TryGetValue(link, out Dictionary<uint, FourTuple>? offers)) return;
        switch (type)
        {
            case FrameType.Offer when FabricOffer.TryRead(message, out FabricOffer offer):
                Offered(link, offers, offer);
                return;
            case FrameType.Accept when FabricAccept.TryRead(message, out FabricAccept accept):
                Accepted(link, accept);
                return;
            case FrameType.Withdraw:
                if (position <= uint.MaxValue && offers.TryGetValue((uint)position, out FourTuple withdrawn)) ForgetTheirs(link, (uint)position, withdrawn);
                return;
            default:
                _log.FabricMalformed(link.Host, type);
                return;
        }
    }

    private void Offered(IFabricLink link, Dictionary<uint, FourTuple> offers, in FabricOffer offer)
    {
        // It is kept, though not believed: that the address lives there may become known here later than there, and nothing is offered twice.
        if (HostOf(offer.Addresses.Local.Address, out _) is { } place && place != link.Host)
            _log.FabricMisplaced(link.Host, offer.Addresses, offer.Addresses.Local.Address);
        if (offers.Count >= MaximumOffersPerHost) return;
        // One number, one connection: what either of them meant before is over.
        if (offers.TryGetValue(offer.Number, out FourTuple earlier)) ForgetTheirs(link, offer.Number, earlier);
        TheirOffer theirs = new(link, offer.Number, offer.MarksSent, offer.Sequence, offer.Place);
        Keep(offers, offer.Addresses, theirs);
        FourTuple mirrored = offer.Addresses.Mirrored;
        if (!_byRemote.TryGetValue(mirrored.Remote.Address, out HashSet<ConnectionEnd>? ends)) return;
        foreach (ConnectionEnd end in ends)
        {
            if (end.Addresses != mirrored || !IsOtherEnd(end, offer.Sequence)) continue;
            // The locations may have become known here later than there.
            if (!_byEnd.TryGetValue(end, out RemoteEnd? ours)) Waits(end);
            else if (ours.Host == link.Host) Accept(ours, theirs);
            return;
        }
        // None here is its other end. Each that has its addresses was a guess at the numbers.
        foreach (ConnectionEnd end in ends.ToArray())
        {
            if (end.Addresses == mirrored && _byEnd.TryGetValue(end, out RemoteEnd? ours) && ours.Carrier is null && ours.Host == link.Host) _giver.Doubt(end);
        }
    }

    /// <summary>Of those that look alike the newest are kept; one that is the same connection's as before takes its place.</summary>
    private void Keep(Dictionary<uint, FourTuple> offers, FourTuple addresses, TheirOffer theirs)
    {
        if (_theirs.TryGetValue((addresses, theirs.Link.Host), out List<TheirOffer>? alike))
        {
            if ((alike.Find(other => other.Sequence == theirs.Sequence) ?? (alike.Count >= MostAlike ? alike[0] : null)) is { } before) ForgetTheirs(before.Link, before.Number, addresses);
        }
        if (!_theirs.TryGetValue((addresses, theirs.Link.Host), out alike)) _theirs[(addresses, theirs.Link.Host)] = alike = [];
        alike.Add(theirs);
        offers[theirs.Number] = addresses;
    }

    /// <summary>False if the other router is the one to accept.</summary>
    private bool Accept(RemoteEnd ours, TheirOffer theirs)
    {
        IFabricLink link = theirs.Link;
        FourTuple addresses = ours.End.Addresses;
        bool higher = (addresses.Local.Address.Value, addresses.Local.Port).CompareTo((addresses.Remote.Address.Value, addresses.Remote.Port)) > 0;
        if (!higher || ours.Carrier is not null || !IsOtherEnd(ours.End, theirs.Sequence) || !IsProven(ours, link)) return false;
        Span<byte> marks = stackalloc byte[2 * RingLayout.ReturnMarkBytes];
        RandomNumberGenerator.Fill(marks);
        ReadOnlySpan<byte> toOffering = marks[..RingLayout.ReturnMarkBytes], toAccepting = marks[RingLayout.ReturnMarkBytes..];
        ulong capacity = MirroredRing.CapacityFor(ours.End.Place, theirs.Place, _giver.MirroredRingBytes);
        if (!Join(ours, link, theirs.Number, theirs.MarksSent, capacity, toOffering, toAccepting, speaksFirst: false)) return true;
        Span<byte> message = stackalloc byte[(int)FrameHeader.MaximumMessageBytes];
        int length = new FabricAccept { Offer = theirs.Number, Stream = ours.Number, Capacity = capacity, MarkToOffering = toOffering, MarkToAccepting = toAccepting, MarksSent = ours.End.MarksSent, Sequence = ours.End.Facts.Sequence!.Value }.Write(message);
        link.Send(FrameType.Accept, 0, message[..length]);
        return true;
    }

    private void Accepted(IFabricLink link, in FabricAccept accept)
    {
        if (_ours.TryGetValue(accept.Offer, out RemoteEnd? ours) && ours.Carrier is null && ours.Host == link.Host && IsOtherEnd(ours.End, accept.Sequence) && IsProven(ours, link)
            && Join(ours, link, accept.Stream, accept.MarksSent, accept.Capacity, accept.MarkToAccepting, accept.MarkToOffering, speaksFirst: true)) return;
        link.TurnDown(accept.Stream);
    }

    private bool IsProven(RemoteEnd ours, IFabricLink link) =>
        HostOf(ours.End.Addresses.Remote.Address, out _) == link.Host
        && (HostOf(ours.End.Addresses.Local.Address, out _) ?? _self) == _self
        && PairingTable.IsProvableBeyondNamespace(ours.End) && _pairing.IsWaitingAndAlive(ours.End);

    private bool Join(RemoteEnd ours, IFabricLink link, uint remote, uint marksToFind, ulong capacity, ReadOnlySpan<byte> markFromShim, ReadOnlySpan<byte> markToShim, bool speaksFirst)
    {
        _pairing.Withdraw(ours.End);
        // What the other router has offered it is answered with this: if its end comes again, it offers again.
        if (Find(ours.End, link.Host) is { } offer) ForgetTheirs(offer.Link, offer.Number, ours.End.Addresses.Mirrored);
        HeldRing? held = _giver.HoldMirrored(ours.End, marksToFind, capacity, markFromShim, markToShim);
        if (held is null) return false;
        ours.Carrier = link;
        ours.End.Stream = (link, ours.Number);
        Joined++;
        _log.JoinedFar(ours.End, link.Host);
        // The offering side knows that both ends take part; the accepting one before it tells its end.
        if (speaksFirst) held.Give();
        return link.Carry(new FabricStream(ours.Number, remote, held.Mirrored, speaksFirst, ours.End.ToString())
        {
            Limit = _giver.RateOf(ours.End),
            Loan = (ours.End.Owner as Session)?.LoanOf(ours.End),
            Confirmed = speaksFirst ? null : () => _post(held.Give),
            Unconfirmed = speaksFirst ? null : () => _post(() => Unconfirmed(ours, held)),
        });
    }

    /// <summary>The offer that was accepted here had been taken back, or the link went before the answer came.</summary>
    private void Unconfirmed(RemoteEnd ours, HeldRing held)
    {
        held.Dispose();
        Drop(ours);
        _giver.WaitAgain(ours.End);
    }

    /// <summary>An offer that came by a link under this number.</summary>
    private void ForgetTheirs(IFabricLink link, uint number, FourTuple addresses)
    {
        if (_theirsByLink.TryGetValue(link, out Dictionary<uint, FourTuple>? offers)) offers.Remove(number);
        if (!_theirs.TryGetValue((addresses, link.Host), out List<TheirOffer>? alike)) return;
        alike.RemoveAll(theirs => theirs.Link == link && theirs.Number == number);
        if (alike.Count == 0) _theirs.Remove((addresses, link.Host));
    }

    private void Drop(RemoteEnd ours)
    {
        if (_ours.TryGetValue(ours.Number, out RemoteEnd? known) && known == ours) _ours.Remove(ours.Number);
        if (_byEnd.TryGetValue(ours.End, out known) && known == ours) _byEnd.Remove(ours.End);
    }

    /// <summary>The end waits for nothing any more, until it is offered again.</summary>
    private void Unlist(ConnectionEnd end)
    {
        InternetAddress remote = end.Addresses.Remote.Address;
        if (_byRemote.TryGetValue(remote, out HashSet<ConnectionEnd>? ends) && ends.Remove(end) && ends.Count == 0) _byRemote.Remove(remote);
    }

    /// <summary>An address is published, lives elsewhere, or nowhere any more.</summary>
    private void Moved(InternetAddress address)
    {
        InternetAddress? place = HostOf(address, out Host? host);
        if (place == _self) CameHere(address);
        if (!_byRemote.TryGetValue(address, out HashSet<ConnectionEnd>? ends)) return;
        foreach (ConnectionEnd end in ends.ToArray())
        {
            if (_byEnd.TryGetValue(end, out RemoteEnd? ours))
            {
                if (ours.Host == place) continue;
                Drop(ours);
                if (ours.Carrier is { } carrier)
                {
                    // The way of the bytes is the overlay's to decide now; the end comes again by itself.
                    carrier.Abandon(ours.Number);
                    Unlist(end);
                    continue;
                }
                TakeBack(ours);
            }
            if (place is { } there && there != _self) Offer(end, there, host!);
        }
    }

    /// <summary>What was offered for an address before this router knew that it lives here could not be believed, neither here nor there.</summary>
    private void CameHere(InternetAddress address)
    {
        foreach (RemoteEnd ours in _ours.Values.Where(ours => ours.Carrier is null && ours.End.Addresses.Local.Address == address).ToArray())
        {
            if (!AcceptKnown(ours) && _fabric.Find(ours.Host) is { } link) Offer(ours, link);
        }
    }

    private InternetAddress? HostOf(InternetAddress address, out Host? host) =>
        _locations.Find(new Address(address.Value), out host) == LocationAnswer.Found ? new InternetAddress(host!.Address.Value) : null;
}
