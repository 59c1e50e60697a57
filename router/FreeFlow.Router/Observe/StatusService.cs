using System;
using System.Collections.Generic;
using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Messages;
using FreeFlow.Native;
using FreeFlow.Router.Cluster;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Sessions;

namespace FreeFlow.Router.Observe;

/// <summary>
/// Answers status requests with what the asker may see. The asker is sent one end of a socket at once; what comes out of it is written by another thread (<see cref="StatusWriter"/>), which asks the
/// event loop, piece by piece, for what only that thread may look at.
/// </summary>
internal sealed unsafe class StatusService(RouterOptions options, KernelWitness witness, Statistics statistics, ClusterMembership cluster, Broker broker)
{
    private readonly uint _ownUser = Libc.geteuid();
    private readonly SessionOrigin _own = SessionOrigin.Own(witness.OwnNamespaceCookie);
    private readonly StatusWriter _writer = new();

    /// <summary>Has the event loop do something soon.</summary>
    public Action<Action> Post { get; set; } = work => work();

    /// <summary>Begins to send the status to the session that asked. The event loop.</summary>
    public void Answer(Session asker, IReadOnlyCollection<Family> families)
    {
        bool everything = MaySeeEverything(asker);
        int* ends = stackalloc int[2];
        if (Libc.socketpair(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0, ends) != 0) { asker.Fail($"no socket for its status ({Errno.LastText})"); return; }
        // Nobody can put anything into this router's end: it is closed at once, at any time.
        Libc.shutdown(ends[0], Libc.SHUT_RD);
        Span<byte> message = stackalloc byte[Protocol.MaximumMessageBytes];
        int length = default(StatusReply).Write(message);
        bool sent = !DescriptorReserve.IsTooHigh(ends[1]) && asker.Send(message[..length], [ends[1]]);
        Libc.close(ends[1]);
        StatusReport report = new(families, asker, everything ? _ => true : session => IsOwn(asker, session), options, statistics)
        {
            Ask = Ask, Cluster = everything ? cluster : null, Broker = everything ? broker : null, Verbs = broker.Verbs,
        };
        if (sent && _writer.TryAdd(new StatusStream(asker.Id, asker.Account.UserId, everything, ends[0], report))) return;
        Libc.close(ends[0]);
        asker.Fail("too many statuses are being written");
    }

    /// <summary>Has the event loop do something, and waits for it. Any other thread.</summary>
    private void Ask(Action work)
    {
        Exception? fault = null;
        using ManualResetEventSlim done = new();
        Post(() =>
        {
            try { work(); }
            catch (Exception exception) { fault = exception; }
            finally { done.Set(); }
        });
        done.Wait();
        if (fault is not null) throw new InvalidOperationException($"the status could not be looked at: {fault.Message}", fault);
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
