using System;
using System.Buffers;
using System.Collections.Generic;
using FreeFlow.Contract;
using FreeFlow.Contract.Messages;
using FreeFlow.Native;
using FreeFlow.Router.Cluster;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Sessions;

namespace FreeFlow.Router.Observe;

/// <summary>Answers status requests with what the asker may see.</summary>
internal sealed class StatusService(RouterOptions options, KernelWitness witness, Statistics statistics, ClusterMembership cluster, Broker broker, Log log)
{
    private readonly uint _ownUser = Libc.geteuid();
    private readonly SessionOrigin _own = SessionOrigin.Own(witness.OwnNamespaceCookie);

    /// <summary>Sends the status to the session that asked.</summary>
    public void Answer(Session asker, IReadOnlyCollection<Family> families)
    {
        bool everything = MaySeeEverything(asker);
        Func<Session, bool> visible = everything ? _ => true : session => IsOwn(asker, session);
        ArrayBufferWriter<byte> json = new(4096);
        StatusReport.Write(json, families, visible, statistics, options, everything ? cluster : null, everything ? broker : null);

        int memory = SealedMemory.CreateReadOnly("freeflow-status", json.WrittenSpan);
        if (memory < 0) { log.Line($"no memory for a status of {json.WrittenCount} bytes ({Errno.LastText})"); asker.Fail("its status could not be written"); return; }
        Span<byte> message = stackalloc byte[Protocol.MaximumMessageBytes];
        int length = new StatusReply { Bytes = (ulong)json.WrittenCount }.Write(message);
        asker.Send(message[..length], [memory]);
        Libc.close(memory);
    }

    /// <summary>Root and the router's user, from the router's own namespaces. The root of a container is in others, even where it shares the host's network.</summary>
    private bool MaySeeEverything(Session asker) => asker.Peer.UserId is var user && (user == 0 || user == _ownUser) && asker.Origin.IsKnown && asker.Origin == _own;

    /// <summary>Everybody else sees their own processes: of their user, in their pid and user namespace, and by connection or shown socket in their network namespace.</summary>
    private static bool IsOwn(Session asker, Session session)
    {
        SessionOrigin here = asker.Origin;
        return session.Peer.UserId == asker.Peer.UserId && here.IsKnown
            && session.Origin is var there && (there.ProcessIds, there.Users) == (here.ProcessIds, here.Users)
            && (there.Network == here.Network || session.Namespaces.Contains(here.Network));
    }
}
