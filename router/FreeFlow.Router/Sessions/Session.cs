using System;
using System.Collections.Generic;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Native;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Sessions;

/// <summary>One connection to the router's socket: a process with the shim, or somebody who asks for the status.</summary>
internal sealed class Session(ulong id, int socket, PeerCredentials peer, UserAccount account, Queue<Session> failed) : IConnectionOwner
{
    /// <summary>Descriptors that it has sent and that are not closed yet; <see cref="ForeignDescriptors"/>'.</summary>
    public int PendingCloses;

    /// <summary>The failure that is none: the process closed its end.</summary>
    public const string Gone = "gone";

    public ulong Id { get; } = id;
    public int Socket { get; } = socket;

    /// <summary>Who connected, by the kernel.</summary>
    public PeerCredentials Peer { get; } = peer;

    /// <summary>Where its process connected from; asked for once, when somebody wants to know.</summary>
    public SessionOrigin Origin => _origin ??= SessionOrigin.Of(Socket);

    private SessionOrigin? _origin;

    public UserAccount Account { get; } = account;

    /// <summary>It is not read: too much of what it, or its user, has sent waits to be closed.</summary>
    public bool IsPaused { get; set; }

    /// <summary>It is not read: what it has shown is being asked about (<see cref="ForeignQuestions"/>).</summary>
    public bool IsAsking { get; set; }

    /// <summary>It has been closed while it asked: its end comes behind that.</summary>
    public bool EndsLater { get; set; }

    /// <summary>The family it said Hello for; null before.</summary>
    public Family? Family { get; set; }

    /// <summary>What it has of verbs; null if it is no verbs session.</summary>
    public Verbs.VerbsClient? Verbs { get; set; }

    /// <summary>It has asked who answers here.</summary>
    public bool HasAsked { get; set; }

    /// <summary>Its process waits for sockets by system calls that its shim does not see: it gets no rings any more.</summary>
    public bool WaitsUnseen { get; set; }

    /// <summary>Its place among the family's slots.</summary>
    public uint Slot { get; set; }

    /// <summary>Its pid as it sees itself; only to tell the family's records apart in the status.</summary>
    public uint OwnProcessId { get; set; }

    public string Program { get; set; } = "";
    public string Container { get; set; } = "";

    /// <summary>Ends it showed that wait or are joined.</summary>
    public HashSet<ConnectionEnd> Ends { get; } = [];

    /// <summary>Network namespaces of the sockets it showed.</summary>
    public HashSet<ulong> Namespaces { get; } = [];

    /// <summary>The doorbell that further connections may share, by the peer process's session.</summary>
    public Dictionary<Session, DoorbellGroup> DoorbellGroups { get; } = [];

    /// <summary>Why the session must be closed; null while all is well.</summary>
    public string? Failure { get; private set; }

    public bool IsCurrent(uint connection, uint generation) => Failure is null && Family is not null && Family.IsCurrent(connection, generation);

    /// <summary>The socket of an end it has shown, to be borrowed at any time from then on; null if its number is not known.</summary>
    public SocketLoan? LoanOf(ConnectionEnd end) =>
        NumberOf(end) is { } number ? new SocketLoan(Peer.UserId, new BorrowedSocket(Peer.ProcessId, number, end.Facts.Name).Take) : null;

    /// <summary>The descriptor of an end it has shown, most likely, as the process says.</summary>
    public int? NumberOf(ConnectionEnd end)
    {
        ConnectionRecord record = default;
        return Family?.ReadRecords(end.Connection, new Span<ConnectionRecord>(ref record)) == 1 ? record.Descriptor : null;
    }

    /// <summary>Sends one message, then raises the mailbox. A process that does not read its messages loses the session.</summary>
    public bool Send(ReadOnlySpan<byte> message, ReadOnlySpan<int> descriptors)
    {
        if (Failure is not null) return false;
        if (!SeqPacket.Send(Socket, message, descriptors)) { Fail($"a message could not be sent ({Errno.LastText})"); return false; }
        Family?.RaiseMailbox(Slot);
        return true;
    }

    /// <summary>Marks the session for closing once the event at hand is dealt with.</summary>
    public void Fail(string reason)
    {
        if (Failure is not null) return;
        Failure = reason;
        failed.Enqueue(this);
    }

    public override string ToString() => Family is null ? $"session {Id} (pid {Peer.ProcessId}, uid {Peer.UserId})" : $"session {Id} ({Program}, pid {Peer.ProcessId}, uid {Peer.UserId})";
}
