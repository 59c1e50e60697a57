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

    /// <summary>Sends the status to the session that asked and showed a socket of its network namespace.</summary>
    public void Answer(Session asker, int socket, IReadOnlyCollection<Family> families)
    {
        if (!SocketOptions.TryGet(socket, Libc.SO_NETNS_COOKIE, out ulong cookie)) { asker.Fail("it asks for the status and shows no socket of its namespace"); return; }
        bool everything = cookie == witness.OwnNamespaceCookie && (asker.Peer.UserId == 0 || asker.Peer.UserId == _ownUser);
        Func<Session, bool> visible = everything ? _ => true : OwnProcesses(asker, socket, cookie);
        ArrayBufferWriter<byte> json = new(4096);
        StatusReport.Write(json, families, visible, statistics, options, everything ? cluster : null, everything ? broker : null);

        int memory = SealedMemory.CreateReadOnly("freeflow-status", json.WrittenSpan);
        if (memory < 0) { log.Line($"no memory for a status of {json.WrittenCount} bytes ({Errno.LastText})"); asker.Fail("its status could not be written"); return; }
        Span<byte> message = stackalloc byte[Protocol.MaximumMessageBytes];
        int length = new StatusReply { Bytes = (ulong)json.WrittenCount }.Write(message);
        asker.Send(message[..length], [memory]);
        Libc.close(memory);
    }

    /// <summary>Root and the router's user see everything from the router's own network namespace; everybody else their own processes in their own namespace.</summary>
    private Func<Session, bool> OwnProcesses(Session asker, int socket, ulong cookie)
    {
        uint user = asker.Peer.UserId;
        ulong inode = witness.NamespaceInode(socket);
        return session => session.Peer.UserId == user
            && (session.Namespaces.Count > 0
                ? session.Namespaces.Contains(cookie)
                : inode != 0 && Libc.stat($"/proc/{session.Peer.ProcessId}/ns/net", out FileStatus status) == 0 && status.Inode == inode);
    }
}
