using System;
using System.Linq;
using FreeFlow.Contract.Messages;
using FreeFlow.Native;
using FreeFlow.Router.Fabric.Journal;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Sessions;

/// <content>Rings that both ends share, left by a writer that does not come to bring their bytes into the kernel.</content>
internal sealed partial class Broker
{
    /// <summary>
    /// A process asks for a return (<see cref="ReturnRequest"/>). Nothing that it says is believed: only a ring that this router gave to this very end is looked for, and only
    /// what the ring's own words ask for is done (<see cref="StandIn"/>).
    /// </summary>
    public void Return(Session session, in ReturnRequest request)
    {
        if (!session.Family!.Ends.TryGetValue(request.Connection, out ConnectionEnd? end) || end.Generation != request.Generation || end.Shared is not { } shared) return;
        ConnectionEnd writer = request.Direction == ReturnRequest.Outgoing ? end : shared.Peer;
        SharedRing? side = writer.Shared;
        Func<int>? borrow = (writer.Owner as Session)?.BorrowerOf(writer);
        if (side is null || borrow is null || !side.TryBeginReturn()) return;
        MirroredRing? ring = Find(shared, session, (Session)end.Owner, (Session)shared.Peer.Owner) is var memory and >= 0 ? TakeUp(memory, side) : null;
        if (ring is null)
        {
            side.EndReturn();
            return;
        }
        ring.Freed = side.EndReturn;
        StandIns.Add(new StandIn(ring, borrow, isLost: false), StandIns.Soon);
    }

    /// <summary>A descriptor of the ring's memory, out of the memory of one who has it; −1 if none can be had.</summary>
    private static int Find(SharedRing ring, params Session[] holders) =>
        holders.Select(holder => holder.Peer.ProcessId).Distinct().Select(process => MappedRings.TryOpen(process, ring.Device, ring.Inode)).FirstOrDefault(memory => memory >= 0, -1);

    private static MirroredRing? TakeUp(int memory, SharedRing side)
    {
        MirroredRing? ring = MirroredRing.TryShare(memory, side.Side);
        Libc.close(memory);
        return ring;
    }
}
