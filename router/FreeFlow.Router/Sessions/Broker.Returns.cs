using System.Collections.Generic;
using System.Linq;
using FreeFlow.Contract;
using FreeFlow.Contract.Messages;
using FreeFlow.Native;
using FreeFlow.Router.Fabric.Journal;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Logging;
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
        StandInFor(request.Direction == ReturnRequest.Outgoing ? end : shared.Peer, StandInCause.Asked);
    }

    /// <summary>
    /// A process waits for its connections by system calls that its shim does not see. Its rings on this host go back to the kernel in both directions, and it gets no others. The peers
    /// of its rings to other hosts are not here to be stood in for: it gets none.
    /// </summary>
    public void TakeRings(Session session)
    {
        if (session.Family is not { } family) return;
        if (!session.WaitsUnseen) _log.WaitsUnseen(session);
        session.WaitsUnseen = true;
        // Relatives may have shown what it holds.
        foreach (ConnectionEnd end in family.Ends.Values.Where(end => end.Shared is not null))
        {
            if (end.Shared!.TryMarkUnheard()) _statistics.Count(Reason.ReadinessOutOfSight);
            StandInFor(end, StandInCause.Unheard);
            StandInFor(end.Shared!.Peer, StandInCause.Unheard);
        }
    }

    private void StandInFor(ConnectionEnd writer, StandInCause cause)
    {
        if (writer.Shared is not { } side || writer.Owner is not Session owner || side.Peer.Owner is not Session reader) return;
        if (owner.LoanOf(writer) is not { } loan || !side.TryBeginReturn()) return;
        LookFor(side, loan, cause, new Queue<PeerCredentials>(new[] { owner.Peer, reader.Peer }.DistinctBy(holder => holder.ProcessId)));
    }

    /// <summary>
    /// Looks for the ring in the memory of those who have it. A list of what a program has mapped is as long as the program likes: each is read in its user's turn. Any thread.
    /// </summary>
    private static void LookFor(SharedRing side, SocketLoan loan, StandInCause cause, Queue<PeerCredentials> holders)
    {
        if (!holders.TryDequeue(out PeerCredentials holder)) { side.EndReturn(); return; }
        StandIns.Add(holder.UserId, () =>
        {
            int memory = MappedRings.TryOpen(holder.ProcessId, side.Device, side.Inode);
            if (memory < 0) LookFor(side, loan, cause, holders);
            else if (TakeUp(memory, side) is { } ring) StandIns.Add(new StandIn(ring, loan, cause), 0);
            else side.EndReturn();
            return null;
        }, StandIns.Soon);
    }

    private static MirroredRing? TakeUp(int memory, SharedRing side)
    {
        MirroredRing? ring = MirroredRing.TryShare(memory, side.Side);
        Libc.close(memory);
        if (ring is not null) ring.Freed = side.EndReturn;
        return ring;
    }
}
