using System;
using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Contract.Messages;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>
/// How a queue pair comes to its peer: at RTR it names it to the router, which gives each of two that name each other the same memory. Nobody waits for the other one: until that
/// is ready, what is sent to it waits as long as the attributes say.
/// </summary>
internal static unsafe class QueuePairConnection
{
    private const int Datagram = 2;

    /// <summary>0, or an errno.</summary>
    public static int Connect(QueuePair* pair, IbvQpAttr* wish, uint access)
    {
        if (wish->Address.IsGlobal == 0 || !Gids.TryGet(wish->Address.SourceGidIndex, out IbvGid own, out _)) return Linux.EINVAL;
        int* fds = stackalloc int[VerbsSession.MostDescriptors];
        int error = Name(pair->Base.Number, access & VerbsProtocol.RemoteAccess, own, wish->Address.DestinationGid, wish->DestinationQp, out VerbsJoin join, fds, out int count);
        if (error == 0) error = Map(pair, join, fds);
        VerbsSession.Close(fds, count);
        return error;
    }

    /// <summary>
    /// Tells the router with whom a queue pair wants to speak. 0, or an errno; memory and doorbell are the first two descriptors then, and
    /// all are the caller's to close.
    /// </summary>
    public static int Name(uint number, uint access, IbvGid own, IbvGid peer, uint peerNumber, out VerbsJoin join, int* fds, out int count)
    {
        join = default;
        count = 0;
        int proof = Prove(own);
        if (proof < 0) return Linux.EINVAL;
        uint sequence = VerbsSession.Begin();
        if (sequence == 0) { Process.Libc->close(proof); return Numbers.EIO; }
        byte* buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        Span<byte> room = new(buffer, Protocol.MaximumMessageBytes);
        VerbsConnect request = new()
        {
            Sequence = sequence, Number = number, Access = access, PeerNumber = peerNumber & VerbsProtocol.MaximumQueuePairNumber,
            OwnHigh = Host(own.High), OwnLow = Host(own.Low), PeerHigh = Host(peer.High), PeerLow = Host(peer.Low),
        };
        int length = VerbsSession.Ask(room[..request.Write(room)], &proof, 1, room, fds, out count);
        Process.Libc->close(proof);
        int error = Numbers.EIO;
        if (length != 0 && VerbsJoin.TryRead(room[..length], out join) && join.Sequence == sequence && count == 2) error = 0;
        else if (length != 0 && VerbsReply.TryRead(room[..length], out VerbsReply reply) && reply.Sequence == sequence) error = reply.Status == 0 ? Numbers.EIO : (int)reply.Status;
        else VerbsSession.Lose();
        VerbsSession.End();
        return error;
    }

    /// <summary>A GID from the halves that a message has.</summary>
    public static IbvGid Gid(ulong high, ulong low) => new() { High = Host(high), Low = Host(low) };

    /// <summary>The queue pair takes messages from now on; with its lock.</summary>
    public static void Announce(QueuePair* pair)
    {
        if (pair->Out == null) return;
        pair->In->ReceiveMask = pair->ReceiveMask;
        pair->In->RnrTimer = pair->Attributes.MinRnrTimer;
        Posting.TellReceives(pair);
        pair->In->IsShared = pair->Base.Srq != null ? 1u : 0;
        Volatile.Write(ref pair->In->Receives, pair->Base.Srq != null ? SharedReceiveQueue.Many : pair->ReceiveTail);
        Volatile.Write(ref pair->Out->State, (uint)QueuePairState.Ready);
        Doorbells.RingIfAwaited(pair->Doorbell, &pair->Out->ReaderWaiting);
        Doorbells.RingIfAwaited(pair->Doorbell, &pair->In->WriterWaiting);
    }

    public static void Unwatch(QueuePair* pair, int doorbell)
    {
        CompletionChannel* sender = ChannelOf(pair->Base.SendCq), receiver = ChannelOf(pair->Base.ReceiveCq);
        if (sender != null) CompletionChannel.Unwatch(sender, doorbell);
        if (receiver != null && receiver != sender) CompletionChannel.Unwatch(receiver, doorbell);
    }

    /// <summary>A socket bound to the address: the kernel binds only to those of the own network namespace.</summary>
    public static int Prove(IbvGid gid)
    {
        bool isIPv4 = gid.IsIPv4;
        byte* address = stackalloc byte[28];
        new Span<byte>(address, 28).Clear();
        *(ushort*)address = (ushort)(isIPv4 ? Linux.AF_INET : Linux.AF_INET6);
        if (isIPv4) *(uint*)(address + 4) = gid.IPv4;
        else { *(ulong*)(address + 8) = gid.High; *(ulong*)(address + 16) = gid.Low; }
        if (!isIPv4 && (gid.High & 0xc0ff) == 0x80fe) *(uint*)(address + 24) = InterfaceOf(gid);
        int fd = Process.Libc->socket(*(ushort*)address, Datagram | Linux.SOCK_CLOEXEC, 0);
        const int SysBind = 49;
        if (fd >= 0 && Process.Kernel(SysBind, fd, (nint)address, isIPv4 ? 16 : 28, 0, 0, 0) == 0) return fd;
        if (fd >= 0) Process.Libc->close(fd);
        return -1;
    }

    private static uint InterfaceOf(IbvGid gid)
    {
        for (int i = 0; Gids.TryGet(i, out IbvGid other, out uint number); i++) if (other.High == gid.High && other.Low == gid.Low) return number;
        return 0;
    }

    private static int Map(QueuePair* pair, in VerbsJoin join, int* fds)
    {
        byte* memory = Pages.Map(null, (nuint)QueuePairLayout.TotalBytes, Linux.PROT_READ | Linux.PROT_WRITE, Linux.MAP_SHARED, fds[0], 0);
        if (memory == null) return Linux.ENOMEM;
        QueuePairHeader* outgoing = (QueuePairHeader*)(memory + (join.Side * QueuePairLayout.BlockBytes));
        QueuePairHeader* incoming = join.IsLoop != 0 ? outgoing : (QueuePairHeader*)(memory + ((join.Side ^ 1) * QueuePairLayout.BlockBytes));
        int doorbell = incoming->Magic == QueuePairLayout.Magic && incoming->Version == QueuePairLayout.Version ? Control.OwnDescriptors.Duplicate(fds[1]) : -1;
        if (doorbell < 0) { Pages.Unmap(memory, (nuint)QueuePairLayout.TotalBytes); return Linux.EMFILE; }
        QueuePairs.LockAll(pair);
        pair->Shared = memory;
        pair->Out = outgoing;
        pair->In = incoming;
        pair->Doorbell = doorbell;
        pair->RevocationsSeen = Volatile.Read(ref incoming->Revocations);
        QueuePairs.UnlockAll(pair);
        CompletionChannel* sender = ChannelOf(pair->Base.SendCq), receiver = ChannelOf(pair->Base.ReceiveCq);
        if (sender != null) CompletionChannel.Watch(sender, doorbell);
        if (receiver != null && receiver != sender) CompletionChannel.Watch(receiver, doorbell);
        return 0;
    }

    private static CompletionChannel* ChannelOf(void* queue) => (CompletionChannel*)((CompletionQueue*)queue)->Base.Channel;

    private static ulong Host(ulong network) => System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(network);
}
