using System;
using System.Security.Cryptography;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Contract.Messages;
using FreeFlow.Native;
using FreeFlow.Router.Fabric;
using FreeFlow.Router.Fabric.Journal;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Policy;

namespace FreeFlow.Router.Sessions;

/// <content>Rings: who gets one, and on whose account.</content>
internal sealed partial class Broker
{
    /// <summary>Up to so many rings on this host a mirrored one is as large as it may be. The bytes of more of them would not be in a processor's cache any more when they are copied on.</summary>
    private const int FewRings = 16;

    /// <summary>Ends that have a ring.</summary>
    private int _rings;

    /// <summary>True if two ends of this host may share a ring.</summary>
    public bool HasSharedRings => _rings > 0 && LastShared != 0;

    /// <summary>Environment.TickCount64 when the last two got one; 0: none has.</summary>
    public long LastShared { get; private set; }

    private void Join(ConnectionEnd first, ConnectionEnd second)
    {
        Verdict verdict = Decide(second, Transports.SharedMemory);
        _gate.DecideAlike(first, second.Rule, verdict, Transports.SharedMemory);
        if (verdict == Verdict.Denied) { Refuse(first, Reason.Policy); Refuse(second, Reason.Policy); }
        if (verdict != Verdict.Allowed) return;
        SendRate? firstLimit = RateOf(first, false), secondLimit = RateOf(second, false);
        if (firstLimit is not null || secondLimit is not null || first.IsPlaceKnown || second.IsPlaceKnown) { Relay(first, firstLimit, second, secondLimit); return; }
        ulong capacity = RingCapacity.For(first.Facts, second.Facts, _options.RingBytes), bytes = RingLayout.TotalBytes(capacity);
        // A smaller one is better than none: what does not fit goes by the kernel then.
        if (capacity > _options.RingBytes && !HaveRoom(first, second, bytes)) { capacity = _options.RingBytes; bytes = RingLayout.TotalBytes(capacity); }
        if (!HaveRoom(first, second, bytes)) { Refuse(first, Reason.RouterLimit); Refuse(second, Reason.RouterLimit); return; }
        DoorbellGroup? group = first.IsScarce || second.IsScarce ? DoorbellGroup.Find(first, second) : null;
        using Ring? ring = Ring.TryCreate(capacity, withDoorbell: group is null);
        if (ring is null)
        {
            _log.HasNoRing(Errno.LastText, first);
            Refuse(first, Reason.MemoryLimit);
            Refuse(second, Reason.MemoryLimit);
            return;
        }
        GivenRing given = new(HandleOf(ring), bytes, UserOf(first), UserOf(second), ends: 2);
        Charge(first, given);
        Charge(second, given);
        ring.GivenTo = ((Session)first.Owner).Account;
        if (Libc.fstat(ring.Memory, out FileStatus memory) == 0)
        {
            first.Shared = new SharedRing(second, 0, memory.Device, memory.Inode);
            second.Shared = new SharedRing(first, 1, memory.Device, memory.Inode);
            LastShared = Environment.TickCount64;
        }
        // If one of the two cannot be told, the other finds a ring whose peer never becomes ready, and stays in the kernel.
        if (group is null)
        {
            if (first.IsScarce || second.IsScarce) DoorbellGroup.Begin(first, second);
            Tell(first, second.MarksSent, 0, null, [ring.Memory, ring.FirstDoorbell], capacity);
            Tell(second, first.MarksSent, 1, null, [ring.Memory, ring.SecondDoorbell], capacity);
        }
        else
        {
            Tell(first, second.MarksSent, 0, group.MateOf(first, second), [ring.Memory], capacity);
            Tell(second, first.MarksSent, 1, group.MateOf(second, first), [ring.Memory], capacity);
        }
        _statistics.Joined++;
        _log.Joined(first, first.Owner, second);
    }

    /// <inheritdoc/>
    public HeldRing? HoldMirrored(ConnectionEnd end, uint marksToFind, ulong capacity, ReadOnlySpan<byte> markFromShim, ReadOnlySpan<byte> markToShim)
    {
        ulong bytes = RingLayout.TotalBytes(capacity);
        if (!HaveRoom(end, end, bytes)) { Refuse(end, Reason.RouterLimit); return null; }
        UserAccount account = ((Session)end.Owner).Account;
        bool mapped = MapReserve.TryTake(account, 1);
        Ring? ring = mapped ? Ring.TryCreate(capacity, withDoorbell: true) : null;
        MirroredRing? mirrored = ring is null ? null : MirroredRing.TryCreate(ring, capacity, markFromShim, markToShim);
        if (mirrored is null)
        {
            _log.HasNoRing(mapped ? Errno.LastText : $"user {account.UserId} has as many mappings as a user may have", end);
            ring?.Dispose();
            if (mapped) MapReserve.Return(account, 1);
            Refuse(end, Reason.MemoryLimit);
            return null;
        }
        Charge(end, new GivenRing(HandleOf(ring!), bytes, UserOf(end), UserOf(end), ends: 1));
        Action? cross = WriteDown(end, ring!);
        mirrored.Freed = () =>
        {
            MapReserve.Return(account, 1);
            cross?.Invoke();
        };
        return new HeldRing(ring!, mirrored, end, given =>
        {
            if (!((Session)end.Owner).Ends.Contains(end)) return;
            given.GivenTo = ((Session)end.Owner).Account;
            ((Session)end.Owner).Family!.Mirrored[end.Connection] = (end.Generation, capacity);
            Tell(end, marksToFind, 0, null, [given.Memory, given.FirstDoorbell], capacity);
            _statistics.Joined++;
        });
    }

    /// <summary>For the router that comes after this one.</summary>
    private Action? WriteDown(ConnectionEnd end, Ring ring)
    {
        if (Journal is null || end.Owner is not Session session || Libc.fstat(ring.Memory, out FileStatus memory) != 0) return null;
        return Journal.Add(new JournaledRing
        {
            Process = session.Peer.ProcessId, Number = session.NumberOf(end) ?? -1, MemoryDevice = memory.Device, MemoryInode = memory.Inode,
            Socket = end.Facts.Name, Doorbell = SocketName.Of(ring.FirstDoorbell),
        });
    }

    /// <inheritdoc/>
    public void WaitAgain(ConnectionEnd end)
    {
        Session session = (Session)end.Owner;
        if (!session.Ends.Contains(end)) return;
        Discharge(end);
        end.Stream = null;
        Seek(end);
    }

    /// <summary>Joins two ends of this host by a stream through this router, which can hold its bytes back.</summary>
    private void Relay(ConnectionEnd first, SendRate? firstLimit, ConnectionEnd second, SendRate? secondLimit)
    {
        Span<byte> marks = stackalloc byte[2 * RingLayout.ReturnMarkBytes];
        RandomNumberGenerator.Fill(marks);
        ReadOnlySpan<byte> one = marks[..RingLayout.ReturnMarkBytes], other = marks[RingLayout.ReturnMarkBytes..];
        if (_relay is not { IsUp: true })
        {
            _relay?.Dispose();
            _relay = LocalRelay.TryCreate();
        }
        if (_relay is null)
        {
            _log.HasNoRelay(first);
            Refuse(first, Reason.MemoryLimit);
            Refuse(second, Reason.MemoryLimit);
            return;
        }
        do { _lastRelayed++; } while (_lastRelayed == 0);
        ulong capacity = MirroredRing.CapacityFor(first.Place, second.Place, MirroredRingBytes);
        HeldRing? ring = HoldMirrored(first, second.MarksSent, capacity, one, other);
        HeldRing? mirror = ring is null ? null : HoldMirrored(second, first.MarksSent, capacity, other, one);
        // Who cannot have one is refused by then; so is the other, which would wait for an answer.
        if (mirror is null)
        {
            ring?.Mirrored.Dispose();
            ring?.Dispose();
            Refuse(ring is null ? second : first, Reason.MemoryLimit);
            return;
        }
        ring!.Give();
        mirror.Give();
        second.Stream = (_relay.Second, _lastRelayed);
        first.Stream = (_relay.First, _lastRelayed);
        _relay.Second.Carry(new FabricStream(_lastRelayed, _lastRelayed, mirror.Mirrored, speaksFirst: false, second.ToString()) { Limit = secondLimit, Loan = (second.Owner as Session)?.LoanOf(second) });
        _relay.First.Carry(new FabricStream(_lastRelayed, _lastRelayed, ring.Mirrored, speaksFirst: true, first.ToString()) { Limit = firstLimit, Loan = (first.Owner as Session)?.LoanOf(first) });
    }

    private void Tell(ConnectionEnd end, uint marksToFind, uint side, ConnectionEnd? mate, ReadOnlySpan<int> descriptors, ulong capacity)
    {
        Span<byte> message = stackalloc byte[Protocol.MaximumMessageBytes];
        Join join = new() { Connection = end.Connection, Generation = end.Generation, Side = side, Capacity = capacity, MarksToFind = marksToFind };
        if (mate is not null) join = join with { Mate = mate.Connection + 1, MateGeneration = mate.Generation };
        int length = join.Write(message);
        ((Session)end.Owner).Send(message[..length], descriptors);
    }

    /// <summary>What the end says of a ring that it had (<see cref="Contract.Messages.Offer.Place"/>) is believed if this router gave it, or if it is no larger than what a router may have given before this one was started, perhaps with other options.</summary>
    private ulong BelievedPlace(Family family, in Offer offer, out bool known)
    {
        known = offer.Place != 0 && family.Mirrored.TryGetValue(offer.Connection, out (uint Generation, ulong Capacity) had) && had == (offer.Generation, offer.Place);
        return known || offer.Place <= Math.Max(_options.FabricRingBytes, RouterOptions.DefaultFabricRingBytes) ? offer.Place : 0;
    }

    private static uint UserOf(ConnectionEnd end) => ((Session)end.Owner).Account.UserId;

    private static MemoryHandle? HandleOf(Ring ring) => MemoryHandle.IsToBeHad && MemoryHandle.TryOf(ring.Memory, out MemoryHandle handle) ? handle : null;

    /// <summary>For a ring of both, or of one end alone.</summary>
    private bool HaveRoom(ConnectionEnd first, ConnectionEnd second, ulong bytes) => HasRoom(first, bytes) && HasRoom(second, bytes) && Kept.HasRoom(UserOf(first), UserOf(second), bytes);

    private bool HasRoom(ConnectionEnd end, ulong bytes)
    {
        UserAccount account = ((Session)end.Owner).Account;
        return account.Rings < _options.MaximumRingsPerUser && account.RingBytes + bytes <= _options.MaximumRingBytesPerUser;
    }

    private void Charge(ConnectionEnd end, GivenRing ring)
    {
        end.Ring = ring;
        ((Session)end.Owner).Account.RingBytes += ring.Bytes;
        ((Session)end.Owner).Account.Rings++;
        _rings++;
    }

    /// <summary>Harmless for an end that has no ring.</summary>
    private void Discharge(ConnectionEnd end)
    {
        if (end.Ring is not { } ring) return;
        ((Session)end.Owner).Account.RingBytes -= ring.Bytes;
        ((Session)end.Owner).Account.Rings--;
        _rings--;
        end.Ring = null;
        if (ring.Leave()) Kept.Watch(ring);
    }
}
