using System;
using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Contract.Messages;
using FreeFlow.Native;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Sessions;

namespace FreeFlow.Router.Verbs;

/// <summary>
/// Tells a datagram queue pair who sends to it (<see cref="InboxHeader"/>): a socket on which only this router speaks, and a page that says
/// how often it has.
/// </summary>
internal sealed unsafe class VerbsInbox : IDisposable
{
    private const string Name = "freeflow-inbox";
    private const int Read = 0; // SHUT_RD
    private const ulong Descriptors = 3;

    private readonly int[] _ends = [-1, -1];
    private InboxHeader* _head;
    private ulong _arrivals;

    private readonly UserAccount _account;
    private bool _isDisposed;

    private VerbsInbox(int memory, UserAccount account) => (Memory, _account) = (memory, account);

    public int Memory { get; private set; }

    /// <summary>Null if memory, descriptors or mappings are short, or this user has too many of them.</summary>
    public static VerbsInbox? TryCreate(UserAccount account)
    {
        if (!DescriptorReserve.HasRoom(account.VerbsDescriptors, Descriptors) || !MapReserve.TryTake(account, 1)) return null;
        account.VerbsDescriptors += Descriptors;
        VerbsInbox inbox = new(Libc.memfd_create(Name, Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING), account);
        int* ends = stackalloc int[2] { -1, -1 };
        // What the process would send could be anything: it cannot.
        bool made = inbox.Memory >= 0 && Libc.socketpair(Libc.AF_UNIX, Libc.SOCK_SEQPACKET | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, 0, ends) == 0 && Libc.shutdown(ends[0], Read) == 0;
        inbox._ends[0] = ends[0];
        inbox._ends[1] = ends[1];
        made = made && !DescriptorReserve.IsTooHigh(inbox.Memory) && !DescriptorReserve.IsTooHigh(ends[1])
            && Libc.ftruncate(inbox.Memory, InboxHeader.Bytes) == 0 && Libc.fcntl(inbox.Memory, Libc.F_ADD_SEALS, SealedMemory.SizeSeals) == 0 && inbox.TryMap();
        if (made) return inbox;
        inbox.Dispose();
        return null;
    }

    /// <summary>The process's end, once.</summary>
    public int TakeSocket()
    {
        int end = _ends[1];
        _ends[1] = -1;
        return end;
    }

    /// <summary>False if the process has not fetched what it was told before, or is no more.</summary>
    public bool Tell(VerbsPath path)
    {
        int doorbell = path.Shared.TakeDoorbell(VerbsPath.Receiving);
        Span<byte> message = stackalloc byte[Protocol.MaximumMessageBytes];
        VerbsArrival arrival = new()
        {
            OwnHigh = (ulong)(path.To.Value >> 64), OwnLow = (ulong)path.To.Value, PeerHigh = (ulong)(path.From.Value >> 64), PeerLow = (ulong)path.From.Value, PeerNumber = path.Sender.Number,
        };
        bool told = SeqPacket.Send(_ends[0], message[..arrival.Write(message)], [path.Shared.Memory, doorbell]);
        if (told) Volatile.Write(ref _head->Arrivals, ++_arrivals);
        ForeignDescriptors.Close(doorbell, path.Sender.Client.Session.Account);
        return told;
    }

    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        _account.VerbsDescriptors -= Descriptors;
        MapReserve.Return(_account, 1);
        if (_head != null) Libc.munmap(_head, InboxHeader.Bytes);
        _head = null;
        foreach (int end in _ends) if (end >= 0) ForeignDescriptors.Close(end, _account);
        _ends.AsSpan().Fill(-1);
        if (Memory >= 0) Libc.close(Memory);
        Memory = -1;
    }

    private bool TryMap()
    {
        void* head = Libc.mmap(null, InboxHeader.Bytes, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_SHARED, Memory, 0);
        if (head == Libc.MAP_FAILED) return false;
        _head = (InboxHeader*)head;
        *_head = new InboxHeader { Magic = InboxHeader.ExpectedMagic, Version = InboxHeader.ExpectedVersion };
        return true;
    }
}
