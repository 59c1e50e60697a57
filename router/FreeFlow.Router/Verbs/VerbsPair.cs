using System;
using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Native;
using FreeFlow.Router.Sessions;

namespace FreeFlow.Router.Verbs;

/// <summary>
/// What two queue pairs share (<see cref="QueuePairLayout"/>): a sealed memfd and a doorbell. The router keeps the two heads mapped, to say that an end has gone and to read counters; it
/// believes nothing that stands there.
/// </summary>
internal sealed unsafe class VerbsPair : IDisposable
{
    public const string Name = "freeflow-queue-pair";

    private const int Mappings = 2;

    /// <summary>Memory and both ends of the doorbell, at the most.</summary>
    private const ulong Descriptors = 3;

    private readonly QueuePairHeader*[] _heads = new QueuePairHeader*[2];
    private readonly int[] _doorbells = [-1, -1];

    private readonly UserAccount _account;
    private bool _isDisposed;

    private VerbsPair(int memory, UserAccount account) => (Memory, _account) = (memory, account);

    public int Memory { get; private set; }

    /// <summary>Null if memory, descriptors or mappings are short, or this user has too many of them.</summary>
    public static VerbsPair? TryCreate(UserAccount account)
    {
        if (!DescriptorReserve.HasRoom(account.VerbsDescriptors, Descriptors) || !MapReserve.TryTake(account, Mappings)) return null;
        account.VerbsDescriptors += Descriptors;
        VerbsPair pair = new(Libc.memfd_create(Name, Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING), account);
        int* ends = stackalloc int[2] { -1, -1 };
        bool made = pair.Memory >= 0 && Libc.socketpair(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, 0, ends) == 0;
        pair._doorbells[0] = ends[0];
        pair._doorbells[1] = ends[1];
        made = made && !DescriptorReserve.IsTooHigh(pair.Memory) && !DescriptorReserve.IsTooHigh(ends[1])
            && Libc.ftruncate(pair.Memory, QueuePairLayout.TotalBytes) == 0 && Libc.fcntl(pair.Memory, Libc.F_ADD_SEALS, SealedMemory.SizeSeals) == 0
            && pair.TryMap(0) && pair.TryMap(1);
        if (made)
        {
            foreach (int end in pair._doorbells) Ring.TakeNoDescriptors(end);
            return pair;
        }
        pair.Dispose();
        return null;
    }

    /// <summary>Nobody else will be given it.</summary>
    public void CloseMemory()
    {
        // Its pages may be this router's alone by now.
        if (Memory >= 0) ForeignDescriptors.Close(Memory, _account);
        Memory = -1;
    }

    /// <summary>The side's end of the doorbell, once.</summary>
    public int TakeDoorbell(int side)
    {
        int end = _doorbells[side];
        _doorbells[side] = -1;
        return end;
    }

    /// <summary>Tells whoever reads the side's block that its writer is no more.</summary>
    public void SetGone(int side)
    {
        if (_heads[side] != null) Volatile.Write(ref _heads[side]->Gone, 1);
    }

    /// <summary>What the side says that it has sent, for the status.</summary>
    public VerbsCounters CountersOf(int side)
    {
        QueuePairHeader* head = _heads[side];
        if (head == null) return default;
        return new VerbsCounters(
            Volatile.Read(ref head->MessagesSent), Volatile.Read(ref head->MessageBytes), Volatile.Read(ref head->RemoteOperations), Volatile.Read(ref head->RemoteBytes));
    }

    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        _account.VerbsDescriptors -= Descriptors;
        MapReserve.Return(_account, Mappings);
        for (int side = 0; side < 2; side++)
        {
            if (_heads[side] != null) Libc.munmap(_heads[side], QueuePairLayout.HeaderBytes);
            _heads[side] = null;
            if (_doorbells[side] >= 0) ForeignDescriptors.Close(_doorbells[side], _account);
            _doorbells[side] = -1;
        }
        CloseMemory();
    }

    private bool TryMap(int side)
    {
        void* head = Libc.mmap(null, QueuePairLayout.HeaderBytes, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_SHARED, Memory, side * QueuePairLayout.BlockBytes);
        if (head == Libc.MAP_FAILED) return false;
        _heads[side] = (QueuePairHeader*)head;
        // Who sleeps before it has said so is woken.
        *_heads[side] = new QueuePairHeader { Magic = QueuePairLayout.Magic, Version = QueuePairLayout.Version, ReaderWaiting = 1, WriterWaiting = 1 };
        return true;
    }
}
