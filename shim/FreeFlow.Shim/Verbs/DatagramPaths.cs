using System;
using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Contract.Messages;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>
/// The paths of a datagram queue pair. It opens one by asking the router when it first sends somewhere; those that others open to it come
/// by its inbox (<see cref="InboxHeader"/>).
/// </summary>
internal static unsafe class DatagramPaths
{
    /// <summary>Where nobody has answered is not asked again so soon: what is sent there meanwhile is lost.</summary>
    private const ulong RetryNanoseconds = 5_000_000;

    /// <summary>From here on it takes messages: 0, or an errno.</summary>
    public static int Listen(QueuePair* pair)
    {
        uint sequence = VerbsSession.Begin();
        if (sequence == 0) return Numbers.EIO;
        byte* buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        Span<byte> room = new(buffer, Protocol.MaximumMessageBytes);
        int* fds = stackalloc int[VerbsSession.MostDescriptors];
        int length = VerbsSession.Ask(room[..new VerbsListen { Sequence = sequence, Number = pair->Base.Number }.Write(room)], null, 0, room, fds, out int count);
        int error = Numbers.EIO;
        if (length != 0 && VerbsReply.TryRead(room[..length], out VerbsReply reply) && reply.Sequence == sequence)
            error = reply.Status != 0 ? (int)reply.Status : count == 2 ? Take(pair, fds) : Numbers.EIO;
        else VerbsSession.Lose();
        VerbsSession.Close(fds, count);
        VerbsSession.End();
        return error;
    }

    /// <summary>The path that a work request names; null if nobody is there.</summary>
    public static DatagramPath* Find(QueuePair* pair, WorkRequest* request)
    {
        if (!Gids.TryGet(request->SourceGidIndex, out IbvGid from, out _)) return null;
        IbvGid to = request->DestinationGid;
        for (DatagramPath** at = &pair->Outgoing; *at != null; at = &(*at)->Next)
        {
            DatagramPath* path = *at;
            if (path->Number != request->DestinationQp || !path->To.Is(to) || !path->From.Is(from)) continue;
            if (!DatagramPath.IsClosed(path->Back)) return path;
            if (Process.Now() - path->OpenedAt < RetryNanoseconds) return null;
            *at = path->Next;
            DatagramPath.Free(path, ChannelOf(pair->Base.SendCq));
            break;
        }
        DatagramPath* refused = &pair->Refused;
        if (refused->Number == request->DestinationQp && refused->To.Is(to) && refused->From.Is(from) && Process.Now() - refused->OpenedAt < RetryNanoseconds) return null;
        DatagramPath* opened = Open(pair, from, to, request->DestinationQp);
        if (opened != null)
        {
            opened->Next = pair->Outgoing;
            pair->Outgoing = opened;
            return opened;
        }
        *refused = new DatagramPath { From = from, To = to, Number = request->DestinationQp, OpenedAt = Process.Now() };
        return null;
    }

    /// <summary>Takes over the paths that others have opened; with the queue pair's lock.</summary>
    public static void Fetch(QueuePair* pair)
    {
        while (Volatile.Read(ref pair->Inbox->Arrivals) != pair->ArrivalsSeen && FetchOne(pair)) { }
    }

    /// <summary>Has the others ring when there is something to take, or room again.</summary>
    public static void Await(QueuePair* pair)
    {
        if (!ThreadLock.Enter(&pair->Lock)) return;
        for (DatagramPath* path = pair->Incoming; path != null; path = path->Next) Volatile.Write(ref path->Block->ReaderWaiting, 1);
        for (DatagramPath* path = pair->Outgoing; path != null; path = path->Next) Volatile.Write(ref path->Block->WriterWaiting, 1);
        ThreadLock.Exit(&pair->Lock);
    }

    /// <summary>The queue pair takes and sends no more; with its lock.</summary>
    public static void TellEnd(QueuePair* pair)
    {
        for (DatagramPath* path = pair->Incoming; path != null; path = path->Next) DatagramPath.Close(path, path->Back);
        for (DatagramPath* path = pair->Outgoing; path != null; path = path->Next) DatagramPath.Close(path, path->Block);
    }

    /// <summary>Gives everything back; with all locks of the queue pair.</summary>
    public static void Free(QueuePair* pair)
    {
        Free(&pair->Incoming, ChannelOf(pair->Base.ReceiveCq));
        Free(&pair->Outgoing, ChannelOf(pair->Base.SendCq));
        pair->Refused = default;
        if (pair->Inbox == null) return;
        CompletionChannel* channel = ChannelOf(pair->Base.ReceiveCq);
        if (channel != null) CompletionChannel.Unwatch(channel, pair->InboxSocket);
        OwnDescriptors.Close(pair->InboxSocket);
        Pages.Unmap(pair->Inbox, InboxHeader.Bytes);
        pair->Inbox = null;
        pair->InboxSocket = -1;
        pair->ArrivalsSeen = 0;
    }

    private static void Free(DatagramPath** first, CompletionChannel* channel)
    {
        for (DatagramPath* path = *first, next; path != null; path = next)
        {
            next = path->Next;
            DatagramPath.Free(path, channel);
        }
        *first = null;
    }

    private static int Take(QueuePair* pair, int* fds)
    {
        InboxHeader* inbox = (InboxHeader*)Pages.Map(null, InboxHeader.Bytes, Linux.PROT_READ, Linux.MAP_SHARED, fds[0], 0);
        if (inbox == null) return Linux.ENOMEM;
        int socket = inbox->Magic == InboxHeader.ExpectedMagic && inbox->Version == InboxHeader.ExpectedVersion ? OwnDescriptors.Duplicate(fds[1]) : -1;
        if (socket < 0) { Pages.Unmap(inbox, InboxHeader.Bytes); return Linux.EMFILE; }
        QueuePairs.LockAll(pair);
        pair->Inbox = inbox;
        pair->InboxSocket = socket;
        QueuePairs.UnlockAll(pair);
        CompletionChannel* channel = ChannelOf(pair->Base.ReceiveCq);
        if (channel != null) CompletionChannel.WatchInbox(channel, socket);
        return 0;
    }

    private static DatagramPath* Open(QueuePair* pair, IbvGid from, IbvGid to, uint number)
    {
        int* fds = stackalloc int[VerbsSession.MostDescriptors];
        int errno = Process.Errno;
        int error = QueuePairConnection.Name(pair->Base.Number, 0, from, to, number, out _, fds, out int count);
        DatagramPath* path = error == 0 ? DatagramPath.Create(fds, from, to, number, ChannelOf(pair->Base.SendCq)) : null;
        VerbsSession.Close(fds, count);
        Process.Errno = errno;
        return path;
    }

    /// <summary>False if there is nothing more to fetch.</summary>
    private static bool FetchOne(QueuePair* pair)
    {
        byte* buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        int* fds = stackalloc int[VerbsSession.MostDescriptors];
        int errno = Process.Errno;
        int length = ControlSocket.Receive(pair->InboxSocket, new Span<byte>(buffer, Protocol.MaximumMessageBytes), fds, out int count);
        if (length > 0)
        {
            pair->ArrivalsSeen++;
            if (count == 2 && VerbsArrival.TryRead(new ReadOnlySpan<byte>(buffer, length), out VerbsArrival arrival)) Accept(pair, arrival, fds);
        }
        VerbsSession.Close(fds, count);
        Process.Errno = errno;
        return length > 0;
    }

    /// <summary>A port takes what is sent to one of its addresses.</summary>
    private static void Accept(QueuePair* pair, in VerbsArrival arrival, int* fds)
    {
        IbvGid own = QueuePairConnection.Gid(arrival.OwnHigh, arrival.OwnLow);
        CompletionChannel* channel = ChannelOf(pair->Base.ReceiveCq);
        DatagramPath* path = DatagramPath.Create(fds, QueuePairConnection.Gid(arrival.PeerHigh, arrival.PeerLow), own, arrival.PeerNumber, channel);
        if (path == null) return;
        if (Gids.IndexOf(own) < 0)
        {
            DatagramPath.Close(path, path->Back);
            DatagramPath.Free(path, channel);
            return;
        }
        path->Next = pair->Incoming;
        pair->Incoming = path;
    }

    private static CompletionChannel* ChannelOf(void* queue) => (CompletionChannel*)((CompletionQueue*)queue)->Base.Channel;
}
