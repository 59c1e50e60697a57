using System;
using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Contract.Messages;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>
/// A memory region. One for this process's own work requests costs an entry of <see cref="RegionTable"/>; one that others may use has its pages moved into memfds that the router gives to
/// queue pairs which are connected and name its key.
/// </summary>
internal unsafe struct MemoryRegion
{
    public IbvMr Base;
    public uint Access;

    /// <summary>Where it begins as addresses in work requests count.</summary>
    public ulong Iova;

    /// <summary>Its pages lie in memfds, and the router knows them.</summary>
    public bool IsMoved;

    /// <summary>Bytes in front of it in its first page.</summary>
    public uint Offset;
    public ulong WholeInode, EdgesInode;

    /// <summary>Where the pages at its edges lie in the memfd of <see cref="EdgePages"/>.</summary>
    public uint FirstPlace, LastPlace;

    /// <summary>Around a fork: the copy for the child.</summary>
    public byte* Snapshot;
    public MemoryRegion* NextMoved;

    public readonly RegionPages Pages => new(Offset, Base.Length);
    public readonly byte* Start => Base.Address - Offset;
    public readonly nuint MovedBytes => (nuint)Pages.All * Verbs.Pages.Bytes;

    /// <summary>ibv_reg_mr(3) and its like; null with errno.</summary>
    public static MemoryRegion* Register(ProtectionDomain* domain, byte* memory, nuint length, ulong address, uint access)
    {
        MemoryRegion* region = (MemoryRegion*)Verbs.Pages.Allocate((nuint)sizeof(MemoryRegion));
        if (region == null) return (MemoryRegion*)Refusal.With(Linux.ENOMEM);
        int error = Establish(region, 0, domain, memory, length, address, access);
        if (error == 0) return region;
        Verbs.Pages.Free(region, (nuint)sizeof(MemoryRegion));
        return (MemoryRegion*)Refusal.With(error);
    }

    public static int Deregister(MemoryRegion* region)
    {
        RegionTable.Remove(region->Base.LocalKey);
        Release(region);
        Verbs.Pages.Free(region, (nuint)sizeof(MemoryRegion));
        return 0;
    }

    /// <summary>
    /// ibv_rereg_mr(3): the region is another one under the same keys. 0, or a number of enum ibv_rereg_mr_err_code with errno. Receives
    /// that were posted for what it
    /// was are refused from then on.
    /// </summary>
    public static int Reregister(MemoryRegion* region, uint flags, ProtectionDomain* domain, byte* memory, nuint length, uint access)
    {
        const uint all = Ibv.ReregTranslation | Ibv.ReregDomain | Ibv.ReregAccess;
        const int invalid = -1, command = -4;
        bool moves = (flags & Ibv.ReregTranslation) != 0;
        if ((flags & ~all) != 0 || flags == 0 || (moves && length == 0) || ((flags & Ibv.ReregDomain) != 0 && domain == null)) { Process.Errno = Linux.EINVAL; return invalid; }
        MemoryRegion before = *region;
        ProtectionDomain* old = (ProtectionDomain*)before.Base.Pd;
        uint key = before.Base.LocalKey;
        Release(region);
        int error = Establish(region, key, (flags & Ibv.ReregDomain) != 0 ? domain : old, moves ? memory : before.Base.Address, moves ? length : before.Base.Length,
            moves ? (ulong)memory : before.Iova, (flags & Ibv.ReregAccess) != 0 ? access : before.Access);
        // What cannot be had leaves it as it was.
        bool isBack = error != 0 && Establish(region, key, old, before.Base.Address, before.Base.Length, before.Iova, before.Access) == 0;
        QueuePairs.Recheck(old->Own);
        if (error == 0) return 0;
        if (!isBack)
        {
            // For ibv_dereg_mr(3) only.
            *region = before;
            region->IsMoved = false;
            Interlocked.Increment(ref old->Users);
        }
        Process.Errno = error;
        return isBack ? invalid : command;
    }

    /// <summary>0, or an errno with nothing done. A key of 0 is a new one; another stays in the table in any case.</summary>
    private static int Establish(MemoryRegion* region, uint key, ProtectionDomain* domain, byte* memory, nuint length, ulong address, uint access)
    {
        const uint known = Ibv.AccessLocalWrite | Ibv.AccessRemoteWrite | Ibv.AccessRemoteRead | Ibv.AccessRemoteAtomic | Ibv.AccessMwBind | Ibv.AccessHugeTlb | Ibv.AccessOptionalMask | Ibv.AccessZeroBased;
        if ((access & Ibv.AccessOnDemand) != 0) return Linux.EOPNOTSUPP;
        bool writesRemotely = (access & (Ibv.AccessRemoteWrite | Ibv.AccessRemoteAtomic)) != 0;
        if ((access & ~known) != 0 || (writesRemotely && (access & Ibv.AccessLocalWrite) == 0) || length > RegionPages.MaximumBytes || (nuint)memory + length < (nuint)memory) return Linux.EINVAL;
        if (!IsThere(memory, length, (access & Ibv.AccessLocalWrite) != 0)) return Linux.EFAULT;
        if ((access & Ibv.AccessZeroBased) != 0) address = 0;
        *region = default;
        region->Base.Context = domain->Base.Context;
        region->Base.Pd = domain;
        region->Base.Address = memory;
        region->Base.Length = length;
        region->Access = access;
        region->Iova = address;
        region->Offset = (uint)((nuint)memory & (Verbs.Pages.Bytes - 1));
        bool isNew = key == 0;
        if (isNew) key = RegionTable.Add(domain->Own, access, address, memory, length);
        else RegionTable.Change(key, domain->Own, access, address, memory, length);
        int error = key == 0 ? Linux.ENOMEM : (access & VerbsProtocol.RemoteAccess) != 0 && length != 0 ? Share(region, key, address) : 0;
        if (error != 0)
        {
            if (isNew && key != 0) RegionTable.Remove(key);
            return error;
        }
        region->Base.Handle = key >> 8;
        region->Base.LocalKey = region->Base.RemoteKey = key;
        Interlocked.Increment(ref domain->Users);
        return 0;
    }

    private static void Release(MemoryRegion* region)
    {
        ProtectionDomain* domain = (ProtectionDomain*)region->Base.Pd;
        if (region->IsMoved)
        {
            Withdraw(region->Base.RemoteKey);
            // Who had it mapped finds out before the pages are the program's alone again.
            QueuePairs.Revoke(domain->Own);
            PageMover.MoveBack(region);
        }
        Interlocked.Decrement(ref domain->Users);
    }

    private static int Share(MemoryRegion* region, uint key, ulong address)
    {
        int whole;
        bool isWritable = (region->Access & (Ibv.AccessRemoteWrite | Ibv.AccessRemoteAtomic)) != 0;
        int error = PageMover.Move(region, isWritable, &whole);
        if (error == 0)
        {
            region->IsMoved = true;
            error = Show(region, key, address, whole);
            if (error != 0) PageMover.MoveBack(region);
        }
        if (whole >= 0) Process.Libc->close(whole);
        return error;
    }

    private static int Show(MemoryRegion* region, uint key, ulong address, int whole)
    {
        uint sequence = VerbsSession.Begin();
        if (sequence == 0) return Numbers.EIO;
        byte* buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        Span<byte> room = new(buffer, Protocol.MaximumMessageBytes);
        int* shown = stackalloc int[2];
        int count = 0;
        if (whole >= 0) shown[count++] = whole;
        if (region->Pages.Edges != 0) shown[count++] = EdgePages.Descriptor;
        VerbsRegister request = new()
        {
            Sequence = sequence, Domain = ((ProtectionDomain*)region->Base.Pd)->Number, Key = key, Access = region->Access & VerbsProtocol.RemoteAccess,
            Address = address, Length = region->Base.Length, Offset = region->Offset, FirstPlace = region->FirstPlace, LastPlace = region->LastPlace,
        };
        int error = VerbsSession.AskPlain(room[..request.Write(room)], sequence, shown, count, out _);
        VerbsSession.End();
        return error;
    }

    private static void Withdraw(uint key)
    {
        uint sequence = VerbsSession.Begin();
        if (sequence == 0) return;
        byte* buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        Span<byte> room = new(buffer, Protocol.MaximumMessageBytes);
        _ = VerbsSession.AskPlain(room[..new VerbsDeregister { Sequence = sequence, Key = key }.Write(room)], sequence, null, 0, out _);
        VerbsSession.End();
    }

    /// <summary>A device pins the pages, and says EFAULT for those that are not there. They are touched, not changed.</summary>
    private static bool IsThere(byte* memory, nuint length, bool writes)
    {
        if (length == 0) return true;
        if (!CallerMemory.CanRead(memory, length)) return false;
        if (!writes) return true;
        // Populated for writing, which fails where nothing may be written (madvise(2), Linux 5.14). Older kernels do not know: there the first store shows it.
        const int SysMadvise = 28, PopulateWrite = 23;
        ulong start = (ulong)memory & ~(ulong)(Verbs.Pages.Bytes - 1);
        return Process.Kernel(SysMadvise, (nint)start, (nint)((ulong)memory + length - start), PopulateWrite, 0, 0, 0) is 0 or -Linux.EINVAL or -Linux.EAGAIN;
    }
}
