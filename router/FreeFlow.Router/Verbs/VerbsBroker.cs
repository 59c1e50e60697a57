using System;
using System.Collections.Generic;
using System.Linq;
using System.Security.Cryptography;
using FreeFlow.Contract;
using FreeFlow.Contract.Messages;
using FreeFlow.Native;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Sessions;

namespace FreeFlow.Router.Verbs;

/// <summary>
/// Joins queue pairs that name each other, and gives the pages of a region to a queue pair that names its key: only if the two are connected, in the region's domain, and with the rights
/// that region and queue pair allow. Answers are an errno, 0 for well. The event loop's.
/// </summary>
internal sealed class VerbsBroker(Log log)
{
    private const uint FirstNumber = 2; // 0 and 1 are the special queue pairs (IBA 10.2.4.2)

    /// <summary>What a turn of the event loop gives back of a process that has ended: some milliseconds' work.</summary>
    internal const int PartsAtATime = 256;

    private readonly Dictionary<uint, VerbsQueuePair> _queuePairs = [];
    private readonly HashSet<VerbsClient> _clients = [];
    private VerbsCounters _past;

    /// <summary>How programs find each other.</summary>
    public CmBroker Connections { get; } = new(log);

    /// <summary>All that there are, for the status.</summary>
    public IReadOnlyCollection<VerbsQueuePair> QueuePairs => _queuePairs.Values;

    public IReadOnlyCollection<VerbsClient> Clients => _clients;

    /// <summary>What all connections have sent since the router started.</summary>
    public VerbsCounters Total
    {
        get
        {
            VerbsCounters total = _past;
            foreach (VerbsQueuePair pair in _queuePairs.Values) total = total.And(pair.Counters);
            return total;
        }
    }

    /// <summary>A process has said hello.</summary>
    public void Begin(VerbsClient client) => _clients.Add(client);

    /// <summary>A queue pair with a number that nobody can guess.</summary>
    public int Create(VerbsClient client, uint domain, uint kind, out uint number)
    {
        number = 0;
        if (client.QueuePairs.Count >= VerbsClient.MostQueuePairs) return Errno.ENOMEM;
        do number = (uint)RandomNumberGenerator.GetInt32((int)FirstNumber, (int)VerbsProtocol.MaximumQueuePairNumber);
        while (_queuePairs.ContainsKey(number));
        _queuePairs[number] = client.QueuePairs[number] = new VerbsQueuePair(number, client, domain, kind);
        return 0;
    }

    /// <summary>The queue pair names its peer. Whether that is there is not told: as on a wire, it finds out when nothing answers.</summary>
    /// <param name="client">Whose it is.</param>
    /// <param name="request">What it says.</param>
    /// <param name="isProven">It has shown a socket that is bound to its address.</param>
    /// <param name="joined">The queue pair, with what it shares.</param>
    public int Connect(VerbsClient client, in VerbsConnect request, bool isProven, out VerbsQueuePair? joined)
    {
        joined = null;
        if (!client.QueuePairs.TryGetValue(request.Number, out VerbsQueuePair? pair)) return Errno.EINVAL;
        InternetAddress own = new(new UInt128(request.OwnHigh, request.OwnLow));
        if (!isProven) return Errno.EACCES;
        Part(pair);
        pair.Access = request.Access;
        pair.OwnGid = own;
        pair.PeerGid = new InternetAddress(new UInt128(request.PeerHigh, request.PeerLow));
        pair.PeerNumber = request.PeerNumber;
        if (_queuePairs.TryGetValue(request.PeerNumber, out VerbsQueuePair? peer) && peer is { Pair: not null, Peer: null, IsLeft: false } && peer != pair && pair.IsNamedBy(peer))
        {
            pair.Pair = peer.Pair;
            pair.Side = 1;
            pair.Peer = peer;
            peer.Peer = pair;
            log.QueuePairConnected(pair.Number, client.Session, peer.Number, peer.Client.Session);
        }
        else
        {
            pair.Pair = VerbsPair.TryCreate(client.Session.Account);
            pair.Side = 0;
            if (pair.Pair is null) return Errno.ENOMEM;
            if (pair.IsNamedBy(pair)) pair.Peer = pair;
        }
        joined = pair;
        return 0;
    }

    /// <summary>A datagram queue pair takes messages from now on.</summary>
    public int Listen(VerbsClient client, uint number, out VerbsInbox? inbox)
    {
        inbox = null;
        if (!client.QueuePairs.TryGetValue(number, out VerbsQueuePair? pair) || !pair.IsDatagram) return Errno.EINVAL;
        Part(pair);
        inbox = pair.Inbox = VerbsInbox.TryCreate(client.Session.Account);
        return inbox is null ? Errno.ENOMEM : 0;
    }

    /// <summary>
    /// A datagram queue pair sends to another one. EAGAIN: there is none, or it has not heard yet of others; as on a wire, what is sent
    /// there is lost.
    /// </summary>
    /// <param name="client">Whose it is.</param>
    /// <param name="request">What it says.</param>
    /// <param name="isProven">It has shown a socket that is bound to its address.</param>
    /// <param name="path">What the two share.</param>
    public int Open(VerbsClient client, in VerbsConnect request, bool isProven, out VerbsPath? path)
    {
        path = null;
        if (!client.QueuePairs.TryGetValue(request.Number, out VerbsQueuePair? sender)) return Errno.EINVAL;
        InternetAddress from = new(new UInt128(request.OwnHigh, request.OwnLow)), to = new(new UInt128(request.PeerHigh, request.PeerLow));
        if (!isProven) return Errno.EACCES;
        if (sender.Outgoing.TryGetValue((from, to, request.PeerNumber), out VerbsPath? earlier)) Close(earlier);
        if (!_queuePairs.TryGetValue(request.PeerNumber, out VerbsQueuePair? receiver) || receiver.Inbox is not { } inbox) return Errno.EAGAIN;
        if (sender.Outgoing.Count >= VerbsQueuePair.MostPaths || !receiver.MayHearFrom(client) || VerbsPair.TryCreate(client.Session.Account) is not { } shared) return Errno.ENOMEM;
        VerbsPath opened = new(shared, sender, receiver, from, to);
        if (!inbox.Tell(opened)) { shared.Dispose(); return Errno.EAGAIN; }
        sender.Outgoing[(from, to, request.PeerNumber)] = opened;
        receiver.Incoming.Add(opened);
        path = opened;
        log.QueuePairSends(sender.Number, client.Session, receiver.Number, receiver.Client.Session);
        return 0;
    }

    /// <summary>The queue pair goes to RESET, or is no more.</summary>
    public int Leave(VerbsClient client, uint number, bool isDestroyed)
    {
        if (!client.QueuePairs.TryGetValue(number, out VerbsQueuePair? pair)) return Errno.EINVAL;
        Part(pair);
        if (isDestroyed) Forget(pair);
        return 0;
    }

    /// <summary>Takes the descriptors over if it is well.</summary>
    public int Register(VerbsClient client, in VerbsRegister request, Span<int> descriptors)
    {
        if (client.Regions.Count >= VerbsClient.MostRegions) return Errno.ENOMEM;
        if (client.Regions.ContainsKey(request.Key)) return Errno.EINVAL;
        foreach (int descriptor in descriptors) if (DescriptorReserve.IsTooHigh(descriptor)) return Errno.ENOMEM;
        UserAccount account = client.Session.Account;
        if (!DescriptorReserve.HasRoom(account.VerbsDescriptors, (ulong)descriptors.Length)) return Errno.ENOMEM;
        if (VerbsRegion.TryCreate(request, descriptors, account) is not { } region) return Errno.EINVAL;
        client.Regions[request.Key] = region;
        return 0;
    }

    public int Deregister(VerbsClient client, uint key, out bool wasGranted)
    {
        wasGranted = false;
        if (!client.Regions.Remove(key, out VerbsRegion? region)) return Errno.EINVAL;
        wasGranted = region.WasGranted;
        region.Dispose();
        return 0;
    }

    /// <summary>The peer's region behind a key, if this queue pair may use it. EAGAIN: the peer has not named this queue pair (yet).</summary>
    public int Resolve(VerbsClient client, uint number, uint key, out VerbsRegion? region, out uint access, out bool isSameUser)
    {
        region = null;
        access = 0;
        isSameUser = false;
        if (!client.QueuePairs.TryGetValue(number, out VerbsQueuePair? pair)) return Errno.EINVAL;
        if (pair.Peer is not { } peer) return pair.IsLeft ? Errno.EACCES : Errno.EAGAIN;
        if (!peer.Client.Regions.TryGetValue(key, out region) || region.Domain != peer.Domain) { region = null; return Errno.EACCES; }
        access = region.Access & peer.Access;
        isSameUser = client.IsSameUserAs(peer.Client);
        return access == 0 ? Errno.EACCES : 0;
    }

    /// <summary>
    /// The process has ended, or its session: its memory is nobody's any more, its peers hear nothing from it. A part of that, if it is much; false if it has to be called again.
    /// </summary>
    public bool End(VerbsClient client)
    {
        Connections.End(client);
        int left = PartsAtATime;
        foreach (VerbsQueuePair pair in client.QueuePairs.Values.Take(PartsAtATime).ToArray())
        {
            left -= 1 + pair.Outgoing.Count + pair.Incoming.Count;
            Part(pair);
            Forget(pair);
            if (left <= 0) return false;
        }
        foreach ((uint key, VerbsRegion region) in client.Regions.Take(left).ToArray())
        {
            client.Regions.Remove(key);
            region.Dispose();
        }
        if (client.Regions.Count > 0) return false;
        _clients.Remove(client);
        return true;
    }

    private void Part(VerbsQueuePair pair)
    {
        foreach (VerbsPath path in new List<VerbsPath>(pair.Outgoing.Values)) Close(path);
        foreach (VerbsPath path in new List<VerbsPath>(pair.Incoming)) Close(path);
        pair.Inbox?.Dispose();
        pair.Inbox = null;
        if (pair.Pair is not { } shared) return;
        _past = _past.And(pair.Counters);
        shared.SetGone(pair.Side);
        // Who is left alone keeps what it has mapped, and nobody can join it.
        if (pair.Peer is { } peer && peer != pair) { peer.Peer = null; peer.IsLeft = true; }
        else shared.Dispose();
        pair.Pair = null;
        pair.Peer = null;
        pair.IsLeft = false;
    }

    /// <summary>Both ends keep what they have mapped: the receiver takes what was sent.</summary>
    private void Close(VerbsPath path)
    {
        _past = _past.And(path.Shared.CountersOf(VerbsPath.Sending));
        path.Sender.Outgoing.Remove((path.From, path.To, path.Receiver.Number));
        path.Receiver.Incoming.Remove(path);
        path.Shared.SetGone(VerbsPath.Sending);
        path.Shared.SetGone(VerbsPath.Receiving);
        path.Shared.Dispose();
    }

    private void Forget(VerbsQueuePair pair)
    {
        _queuePairs.Remove(pair.Number);
        pair.Client.QueuePairs.Remove(pair.Number);
    }

    /// <summary>
    /// The kernel binds a socket to an address of its own network namespace, and the session's is the one that counts. With IP_FREEBIND (ip(7)) it binds it to any other, too: IPv4 addresses
    /// are looked up among the namespace's. Any thread: it may wait for who holds the socket's lock.
    /// </summary>
    public static bool IsBoundTo(int socket, InternetAddress address, ulong network) =>
        SocketOptions.TryGet(socket, Libc.SO_NETNS_COOKIE, out ulong own) && own == network
        && SocketOptions.TryGetLocalAddress(socket, out InternetAddress bound) && bound == address
        && (!address.IsIPv4 || NetworkAddresses.HasIPv4(socket, address));
}
