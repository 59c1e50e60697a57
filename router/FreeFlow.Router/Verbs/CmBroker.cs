using System;
using System.Collections.Generic;
using FreeFlow.Contract;
using FreeFlow.Contract.Messages;
using FreeFlow.Native;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Verbs;

/// <summary>
/// The connection manager (rdma_cm(7)): identifiers, who listens where, and the way of a request from one to the other and back. It does what the kernel's does for a RoCE device, on a
/// wire that loses nothing and takes no time. Answers are an errno, 0 for well. The event loop's.
/// </summary>
internal sealed class CmBroker(Log log)
{
    /// <summary>Of one process. A channel takes a descriptor of this router.</summary>
    public const int MostChannels = 4096, MostIdentifiers = 65536;

    /// <summary>Why a connection is rejected (IBA table 107).</summary>
    private const int InvalidService = 8, RejectedByProgram = 28;

    /// <summary>How long a request waits for its answer; how long an end lasts after its connection. A wire's stray packets are what the latter is for, and here there are none.</summary>
    private const long AnswerMilliseconds = 60_000, TimeWaitMilliseconds = 1000;

    private const uint FirstFreePort = 1024;
    private const ulong CommunicationEstablished = 4; // IBV_EVENT_COMM_EST

    private readonly CmPorts _ports = new();
    private readonly CmDeadlines _answers = new(AnswerMilliseconds), _timeWaits = new(TimeWaitMilliseconds);
    private uint _last;

    /// <summary>Connections that both ends have made, and requests that were rejected or found nobody, since the router started.</summary>
    public ulong Connected { get; private set; }
    public ulong Refused { get; private set; }

    /// <summary>How long until something is over: for ever is −1.</summary>
    public int Patience
    {
        get
        {
            int answer = _answers.Patience, wait = _timeWaits.Patience;
            return answer < 0 || (wait >= 0 && wait < answer) ? wait : answer;
        }
    }

    public int OpenChannel(VerbsClient client, out CmChannel? channel)
    {
        channel = client.Channels.Count < MostChannels ? CmChannel.TryCreate(Number(client.Channels), client) : null;
        if (channel is null) return Errno.EMFILE;
        client.Channels[channel.Number] = channel;
        return 0;
    }

    public int CloseChannel(VerbsClient client, uint number)
    {
        if (!client.Channels.Remove(number, out CmChannel? channel)) return Errno.EINVAL;
        foreach (CmIdentifier identifier in new List<CmIdentifier>(channel.Identifiers)) Destroy(identifier, out _);
        channel.Dispose();
        return 0;
    }

    /// <summary>Takes the oldest event off a channel. What a request brings becomes the process's with it.</summary>
    public int Next(VerbsClient client, uint number, out CmEvent oldest)
    {
        oldest = default;
        if (!client.Channels.TryGetValue(number, out CmChannel? channel)) return Errno.EINVAL;
        if (!channel.TryTake(out oldest)) return Errno.EAGAIN;
        oldest.Of.Fetched++;
        if (oldest.Request is { } request)
        {
            oldest.Of.Room++;
            client.Identifiers[request.Number] = request;
            request.Channel = channel;
            channel.Identifiers.Add(request);
        }
        return 0;
    }

    public int Create(VerbsClient client, in VerbsCmCreate request, out uint number)
    {
        number = 0;
        if (!client.Channels.TryGetValue(request.Channel, out CmChannel? channel)) return Errno.EINVAL;
        if (client.Identifiers.Count >= MostIdentifiers) return Errno.ENOMEM;
        uint kind = request.Space switch
        {
            VerbsProtocol.PortSpaceTcp => VerbsProtocol.ReliableConnection,
            VerbsProtocol.PortSpaceIb => request.Kind,
            _ => VerbsProtocol.UnreliableDatagram,
        };
        CmIdentifier identifier = new(number = Number(client.Identifiers), channel, request.User, request.Space, kind);
        client.Identifiers[number] = identifier;
        channel.Identifiers.Add(identifier);
        return 0;
    }

    /// <summary>The identifier of that number, if its events go to that channel.</summary>
    public static int Find(VerbsClient client, uint channel, uint number, out CmIdentifier identifier)
    {
        if (!client.Identifiers.TryGetValue(number, out identifier!)) return Errno.ENOENT;
        return identifier.Channel.Number == channel ? 0 : Errno.EINVAL;
    }

    /// <summary>Binds the identifier to an address of its own network, or to all of them.</summary>
    public int Bind(CmIdentifier identifier, InternetEndpoint own)
    {
        if (identifier.State != CmState.Idle) return Errno.EINVAL;
        if (own.Port is > 0 and < (ushort)FirstFreePort && identifier.Client.Session.Peer.UserId != 0) return Errno.EACCES;
        if (!CmPorts.IsAny(own.Address) && !Has(identifier.Client, own.Address)) return Errno.EADDRNOTAVAIL;
        int error = _ports.Take(identifier, own);
        if (error == 0) identifier.State = CmState.Bound;
        return error;
    }

    /// <summary>The process has looked up the way to the peer, and with it its own address.</summary>
    public int Resolve(CmIdentifier identifier, InternetEndpoint own, InternetEndpoint peer, int status)
    {
        if (identifier.State is not (CmState.Idle or CmState.Bound)) return Errno.EINVAL;
        if (identifier.Channel.IsFull) return Errno.ENOMEM;
        if (status == 0 && !Has(identifier.Client, own.Address)) status = Errno.EADDRNOTAVAIL;
        if (status == 0 && !identifier.HoldsPort) status = _ports.Take(identifier, own);
        if (status == 0)
        {
            identifier.Own = own with { Port = identifier.Own.Port };
            identifier.Peer = peer;
            identifier.State = CmState.AddressResolved;
        }
        Tell(identifier, status == 0 ? CmEventKind.AddressResolved : CmEventKind.AddressError, -status);
        return 0;
    }

    public int ResolveRoute(CmIdentifier identifier)
    {
        if (identifier.State != CmState.AddressResolved) return Errno.EINVAL;
        identifier.State = CmState.RouteResolved;
        Tell(identifier, CmEventKind.RouteResolved, 0);
        return 0;
    }

    public int Listen(CmIdentifier identifier, ulong backlog)
    {
        const int most = 1024;
        if (identifier.State == CmState.Idle)
        {
            int bound = Bind(identifier, new InternetEndpoint(InternetAddress.FromIPv4([0, 0, 0, 0]), 0));
            if (bound != 0) return bound;
        }
        if (identifier.State != CmState.Bound) return Errno.EINVAL;
        int error = _ports.Listen(identifier);
        if (error != 0) return error;
        identifier.State = CmState.Listening;
        identifier.Room = backlog is > 0 and < most ? (int)backlog : most;
        return 0;
    }

    /// <summary>Asks whoever listens at the peer's address; what comes of it is told as an event.</summary>
    public int Connect(CmIdentifier identifier, in VerbsCmConnect request)
    {
        if (identifier.State != CmState.RouteResolved) return Errno.EINVAL;
        int most = identifier.IsDatagram ? VerbsProtocol.DatagramRequestBytes : VerbsProtocol.RequestBytes;
        if (request.PrivateData.Length > most) return Errno.EINVAL;
        if (identifier.Channel.IsFull) return Errno.ENOMEM;
        identifier.Parameters = request.Parameters;
        identifier.State = CmState.Connecting;
        CmIdentifier? listener = ListenerFor(identifier, out bool isHere);
        if (listener is null || listener.Room == 0 || listener.Channel.IsFull || listener.Client.Identifiers.Count >= MostIdentifiers)
        {
            Refused++;
            string why = listener is not null ? "its backlog is full" : isHere ? "nobody listens there" : "nobody here has that address";
            log.ConnectionUnanswered(identifier.Client.Session, identifier.Peer, why);
            int reason = listener is null ? InvalidService : RejectedByProgram;
            Fail(identifier, isHere && !identifier.IsDatagram ? CmEventKind.Rejected : CmEventKind.Unreachable, isHere ? reason : -Errno.ETIMEDOUT, []);
            return 0;
        }
        CmIdentifier asked = new(Number(listener.Client.Identifiers), listener.Channel, 0, listener.Space, listener.Kind)
        {
            State = CmState.Requested, Own = identifier.Peer, Peer = identifier.Own, Partner = identifier, RemoteNumber = request.Number, Parameters = CmParameters.Turned(request.Parameters),
        };
        identifier.Partner = asked;
        listener.Room--;
        _answers.Add(identifier);
        listener.Channel.Add(new CmEvent(listener, CmEventKind.ConnectRequest) { Request = asked, Number = request.Number, Parameters = asked.Parameters, Data = Padded(request.PrivateData, most) });
        return 0;
    }

    public int Accept(CmIdentifier identifier, in VerbsCmConnect request)
    {
        int most = identifier.IsDatagram ? VerbsProtocol.DatagramResponseBytes : VerbsProtocol.ResponseBytes;
        if (identifier.State != CmState.Requested || identifier.Partner is not { } asker || request.PrivateData.Length > most) return Errno.EINVAL;
        if (request.User != 0) identifier.User = request.User;
        identifier.Parameters = request.Parameters;
        asker.RemoteNumber = request.Number;
        byte[] data = Padded(request.PrivateData, most);
        if (identifier.IsDatagram)
        {
            // A question and its answer; nothing is connected (IBA 12.11).
            identifier.State = asker.State = CmState.Connected;
            identifier.Partner = asker.Partner = null;
            CmDeadlines.Cancel(asker);
            Connected++;
            asker.Channel.Add(new CmEvent(asker, CmEventKind.Established) { Number = request.Number, QueueKey = request.QueueKey, Data = data });
            return 0;
        }
        identifier.State = CmState.Accepted;
        asker.State = CmState.Answered;
        CmDeadlines.Cancel(asker);
        asker.Parameters = CmParameters.Turned(request.Parameters);
        asker.Channel.Add(new CmEvent(asker, CmEventKind.ConnectResponse) { Number = request.Number, Parameters = asker.Parameters, Data = data });
        return 0;
    }

    public int Reject(CmIdentifier identifier, in VerbsCmConnect request)
    {
        int most = identifier.IsDatagram ? VerbsProtocol.DatagramResponseBytes : VerbsProtocol.RejectionBytes;
        if (identifier.State is not (CmState.Requested or CmState.Answered) || request.PrivateData.Length > most) return Errno.EINVAL;
        CmIdentifier? partner = identifier.Partner;
        identifier.Partner = null;
        identifier.State = CmState.Disconnected;
        if (partner is null) return 0;
        RejectTo(partner, request.Number == 0 ? RejectedByProgram : (int)request.Number, Padded(request.PrivateData, most));
        return 0;
    }

    /// <summary>The requester is ready: both are connected.</summary>
    public int Establish(CmIdentifier identifier)
    {
        if (identifier.State != CmState.Answered || identifier.Partner is not { } partner) return Errno.EINVAL;
        identifier.State = CmState.Connected;
        Connected++;
        if (partner.State == CmState.Connected) return 0;
        partner.State = CmState.Connected;
        Tell(partner, CmEventKind.Established, 0);
        log.IdentifiersConnected(identifier.Client.Session, partner.Client.Session, identifier.Own, partner.Own);
        return 0;
    }

    /// <summary>Data has come before the requester's word that it is ready.</summary>
    public int Notify(CmIdentifier identifier, ulong what)
    {
        if (what != CommunicationEstablished || identifier.State is not (CmState.Accepted or CmState.Connected)) return Errno.EINVAL;
        if (identifier.State == CmState.Connected) return 0;
        identifier.State = CmState.Connected;
        Tell(identifier, CmEventKind.Established, 0);
        return 0;
    }

    public int Disconnect(CmIdentifier identifier)
    {
        if (identifier.State is not (CmState.Connected or CmState.Accepted or CmState.Answered or CmState.Disconnected) || identifier.IsDatagram) return Errno.EINVAL;
        if (identifier.State == CmState.Disconnected) return 0;
        CmIdentifier? partner = identifier.Partner;
        Part(identifier);
        if (partner is not null) Part(partner);
        return 0;
    }

    /// <summary>The identifier is no more: its peer hears of it, its events are taken back.</summary>
    public ulong Destroy(CmIdentifier identifier, out bool mustQuieten)
    {
        CmIdentifier? partner = identifier.Partner;
        identifier.Partner = null;
        if (partner is not null)
        {
            partner.Partner = null;
            if (identifier.State is CmState.Requested or CmState.Accepted) RejectTo(partner, RejectedByProgram, Padded([], VerbsProtocol.RejectionBytes));
            else if (identifier.State is CmState.Connected) Part(partner);
            // A request that was not waited for: whoever accepts it is told that it is over.
            else if (partner.State == CmState.Accepted) Fail(partner, CmEventKind.Rejected, RejectedByProgram, []);
            else partner.State = CmState.Disconnected;
        }
        CmDeadlines.Cancel(identifier);
        _ports.GiveBack(identifier);
        identifier.Channel.Identifiers.Remove(identifier);
        identifier.Client.Identifiers.Remove(identifier.Number);
        foreach (CmEvent taken in identifier.Channel.TakeBack(identifier, out mustQuieten))
            if (taken.Request is { } request) Destroy(request, out _);
        return identifier.Fetched;
    }

    /// <summary>The identifier's events go to another channel from now on, those that wait with them.</summary>
    public static int Migrate(VerbsClient client, uint to, uint from, uint number, out ulong fetched, out bool mustQuieten)
    {
        fetched = 0;
        mustQuieten = false;
        if (!client.Channels.TryGetValue(to, out CmChannel? channel)) return Errno.EINVAL;
        int error = Find(client, from, number, out CmIdentifier identifier);
        if (error != 0) return error;
        fetched = identifier.Fetched;
        if (to == from) return 0;
        CmChannel before = identifier.Channel;
        List<CmEvent> waiting = before.TakeBack(identifier, out mustQuieten);
        before.Identifiers.Remove(identifier);
        channel.Identifiers.Add(identifier);
        identifier.Channel = channel;
        foreach (CmEvent each in waiting) channel.Add(each);
        return 0;
    }

    /// <summary>The process has ended.</summary>
    public void End(VerbsClient client)
    {
        foreach (uint number in new List<uint>(client.Channels.Keys)) CloseChannel(client, number);
        if (client.NetworkSocket >= 0) Libc.close(client.NetworkSocket);
        client.NetworkSocket = -1;
    }

    /// <summary>Deals with what has waited long enough.</summary>
    public void LookAtDeadlines()
    {
        while (_timeWaits.Take() is { } ended) Tell(ended, CmEventKind.TimeWaitExit, 0);
        while (_answers.Take() is { } asker)
        {
            if (asker.Partner is { } asked) asked.Partner = null;
            asker.Partner = null;
            Refused++;
            Fail(asker, CmEventKind.Unreachable, -Errno.ETIMEDOUT, []);
        }
    }

    /// <summary>True if the process's network has the address.</summary>
    private static bool Has(VerbsClient client, InternetAddress address) =>
        address.IsIPv4 ? client.NetworkSocket >= 0 && NetworkAddresses.HasIPv4(client.NetworkSocket, address) : client.ShownAddresses.Contains(address);

    /// <summary>
    /// Who listens at the peer's address: in the asker's own network if that has the address, or else in the one network that has it. If more than one has it, nobody can tell
    /// which is meant, and none is taken.
    /// </summary>
    private CmIdentifier? ListenerFor(CmIdentifier asker, out bool isHere)
    {
        CmIdentifier? best = null;
        ulong own = asker.Client.Session.Origin.Network;
        bool ownHas = Has(asker.Client, asker.Peer.Address);
        isHere = ownHas;
        foreach (CmIdentifier listener in _ports.ListenersOn(asker.Space, asker.Peer.Port))
        {
            ulong network = listener.Client.Session.Origin.Network;
            if ((ownHas && network != own) || !Takes(listener, asker.Peer.Address)) continue;
            isHere = true;
            if (best is not null && best.Client.Session.Origin.Network != network) return null;
            if (best is null || CmPorts.IsAny(best.Own.Address)) best = listener;
        }
        return best;
    }

    private static bool Takes(CmIdentifier listener, InternetAddress address)
    {
        if (listener.Own.Address == address) return true;
        bool isOfAll = address.IsIPv4 ? CmPorts.IsAny(listener.Own.Address) && (listener.Own.Address.IsIPv4 || !listener.ExcludesFamily) : listener.Own.Address.Value == 0;
        return isOfAll && Has(listener.Client, address);
    }

    private void RejectTo(CmIdentifier asker, int reason, byte[] data)
    {
        Refused++;
        asker.Partner = null;
        Fail(asker, asker.IsDatagram ? CmEventKind.Unreachable : CmEventKind.Rejected, reason, data);
    }

    /// <summary>The identifier's request has come to nothing.</summary>
    private static void Fail(CmIdentifier identifier, CmEventKind kind, int status, byte[] data)
    {
        // It can try again by another route (rdma_connect(3)).
        identifier.State = identifier.State is CmState.Connecting or CmState.Answered ? CmState.RouteResolved : CmState.Disconnected;
        CmDeadlines.Cancel(identifier);
        if (identifier.User != 0) identifier.Channel.Add(new CmEvent(identifier, kind) { Status = status, Data = data });
    }

    private void Part(CmIdentifier identifier)
    {
        identifier.Partner = null;
        identifier.State = CmState.Disconnected;
        Tell(identifier, CmEventKind.Disconnected, 0);
        _timeWaits.Add(identifier);
    }

    private static void Tell(CmIdentifier identifier, CmEventKind kind, int status)
    {
        if (identifier.User != 0) identifier.Channel.Add(new CmEvent(identifier, kind) { Status = status });
    }

    private uint Number<T>(Dictionary<uint, T> taken)
    {
        do _last++; while (_last == 0 || taken.ContainsKey(_last));
        return _last;
    }

    /// <summary>As a device gives it: always of the full length, with zeros behind what was sent.</summary>
    private static byte[] Padded(ReadOnlySpan<byte> data, int length)
    {
        byte[] padded = new byte[length];
        data.CopyTo(padded);
        return padded;
    }
}
