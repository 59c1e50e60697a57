using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Native;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Sessions;

/// <summary>
/// A process family's table, as its processes showed it. Only the pages of the session slots are mapped (the router writes mailboxes there);
/// records are read through the descriptor, which takes a snapshot and never allocates a page for what was never written.
/// </summary>
internal sealed unsafe class Family
{
    private const int MappedBytes = FamilyLayout.RecordsOffset;
    private const int RecordsAtATime = 256;
    private const uint MostRecordsSummed = 4096; // so that a family that claims to have used all of them costs the event loop little
    private readonly int _memory;
    private readonly byte* _mapping;
    private int _holders = 1;

    private Family(int memory, byte* mapping, (ulong, ulong) identity)
    {
        _memory = memory;
        _mapping = mapping;
        Identity = identity;
    }

    /// <summary>Device and inode of the memfd.</summary>
    public (ulong Device, ulong Inode) Identity { get; }

    /// <summary>Whose limit the mapping of it counts for; null: nobody's.</summary>
    public UserAccount? Payer { get; set; }

    /// <summary>Environment.TickCount64 at the last look for ends whose records have moved on.</summary>
    public long LookedForStale { get; set; } = -1000;

    /// <summary>Connected processes of the family, in the order of their Hello.</summary>
    public List<Session> Sessions { get; } = [];

    /// <summary>Shown ends by index of their record: one process of a family may show what another one withdraws.</summary>
    public Dictionary<uint, ConnectionEnd> Ends { get; } = [];

    /// <summary>Takes a shown descriptor over if it is a family table; otherwise says what is wrong with it and leaves it to the caller.</summary>
    public static Family? TryOpen(int memory, in FileStatus status, out string problem)
    {
        int seals = Libc.fcntl(memory, Libc.F_GET_SEALS, 0);
        if (seals < 0 || (seals & SealedMemory.SizeSeals) != SealedMemory.SizeSeals) { problem = $"its family table has seals {seals}, not those of a fixed size"; return null; }
        if (!SealedMemory.IsOfUsualPages(status)) { problem = "its family table is no memory of the usual pages"; return null; }
        if (status.Size != FamilyLayout.TotalBytes) { problem = $"its family table has {status.Size} bytes instead of {FamilyLayout.TotalBytes}"; return null; }
        FamilyHeader header;
        if (Libc.pread(memory, &header, (nuint)sizeof(FamilyHeader), 0) != sizeof(FamilyHeader) || header.Magic != FamilyLayout.Magic || header.Version != FamilyLayout.Version
            || header.SlotCount != FamilyLayout.SlotCount || header.RecordCount != FamilyLayout.RecordCount)
        {
            problem = "its family table is of another layout";
            return null;
        }
        void* mapping = Libc.mmap(null, MappedBytes, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_SHARED, memory, 0);
        if (mapping == Libc.MAP_FAILED) { problem = $"its family table cannot be mapped ({Errno.LastText})"; return null; }
        problem = "";
        return new Family(memory, (byte*)mapping, (status.Device, status.Inode));
    }

    /// <summary>Tells the process at <paramref name="slot"/> (already checked) that a message waits.</summary>
    public void RaiseMailbox(uint slot)
    {
        SessionSlot* place = (SessionSlot*)(_mapping + FamilyLayout.SlotsOffset) + slot;
        Interlocked.Increment(ref Unsafe.AsRef<uint>(&place->Mailbox));
    }

    /// <summary>Tells the process at <paramref name="slot"/> that one more of its messages is dealt with.</summary>
    public void RaiseHandled(uint slot)
    {
        SessionSlot* place = (SessionSlot*)(_mapping + FamilyLayout.SlotsOffset) + slot;
        Interlocked.Increment(ref Unsafe.AsRef<uint>(&place->Handled));
    }

    /// <summary>Data bytes of the mirrored rings that it was given last, by the record and its generation.</summary>
    public Dictionary<uint, (uint Generation, ulong Capacity)> Mirrored { get; } = [];

    /// <summary>Rules that have left a connection to the kernel, whose end is not kept, by the record and its generation.</summary>
    public Dictionary<uint, (uint Generation, string Rule)> Denials { get; } = [];

    /// <summary>What the policy has said about a record's connection.</summary>
    public Decision DecisionOn(uint connection, uint generation) =>
        Ends.TryGetValue(connection, out ConnectionEnd? end) && end.Generation == generation ? new Decision(end.Rule, end.IsUndecided)
        : Denials.TryGetValue(connection, out (uint Generation, string Rule) denial) && denial.Generation == generation ? new Decision(denial.Rule, false) : default;

    /// <summary>True while the record has this generation.</summary>
    public bool IsCurrent(uint connection, uint generation)
    {
        uint now;
        return Libc.pread(_memory, &now, sizeof(uint), FamilyLayout.RecordsOffset + ((long)connection * FamilyLayout.RecordBytes)) == sizeof(uint) && now == generation;
    }

    /// <summary>How many records were ever used, at most as many as there are.</summary>
    public uint RecordsUsed => ReadHeader(out FamilyHeader header) ? Math.Min(header.RecordsUsed, FamilyLayout.RecordCount) : 0;

    /// <summary>Connections that its processes say FREEFLOW_STRICT has refused; never negative.</summary>
    public long StrictlyRefused => ReadHeader(out FamilyHeader header) ? (long)(header.Refused & long.MaxValue) : 0;

    /// <summary>Bytes its processes say they have sent into rings, by connections that are gone and by the first thousands of those that live; never negative, however they lie.</summary>
    public long RingBytes
    {
        get
        {
            if (!ReadHeader(out FamilyHeader header)) return 0;
            ulong sum = header.RingBytes;
            ConnectionRecord[] chunk = new ConnectionRecord[RecordsAtATime];
            uint used = Math.Min(header.RecordsUsed, MostRecordsSummed);
            for (uint first = 0; first < used; first += RecordsAtATime)
            {
                int count = ReadRecords(first, chunk.AsSpan(0, (int)Math.Min(RecordsAtATime, used - first)));
                foreach (ref readonly ConnectionRecord record in chunk.AsSpan(0, count)) sum = unchecked(sum + record.SendTail + record.EarlierSent);
            }
            return (long)(sum & long.MaxValue);
        }
    }

    /// <summary>Copies records from <paramref name="first"/> on; returns how many. Their content is the processes' own word.</summary>
    public int ReadRecords(uint first, Span<ConnectionRecord> target)
    {
        fixed (ConnectionRecord* records = target)
        {
            nint bytes = Libc.pread(_memory, records, (nuint)((long)target.Length * sizeof(ConnectionRecord)), FamilyLayout.RecordsOffset + ((long)first * FamilyLayout.RecordBytes));
            return bytes < 0 ? 0 : (int)(bytes / sizeof(ConnectionRecord));
        }
    }

    /// <summary>Copies what its processes say of ended connections; nothing if that cannot be read.</summary>
    public void ReadTotals(Span<ServiceTotals> services, Span<uint> reasons)
    {
        if (!ReadHeader(out FamilyHeader header)) return;
        for (int i = 0; i < reasons.Length; i++) reasons[i] = header.EndedByReason[i];
        fixed (ServiceTotals* target = services) _ = Libc.pread(_memory, target, (nuint)(services.Length * sizeof(ServiceTotals)), FamilyLayout.ServicesOffset);
    }

    private bool ReadHeader(out FamilyHeader header)
    {
        fixed (FamilyHeader* target = &header) return Libc.pread(_memory, target, (nuint)sizeof(FamilyHeader), 0) == sizeof(FamilyHeader);
    }

    /// <summary>Keeps its memory until one more <see cref="Release"/>. The event loop, while it has sessions.</summary>
    public void Retain() => Interlocked.Increment(ref _holders);

    /// <summary>Lets go of it at the cost of the one who was the last to leave it: its memory may be this router's alone by now, and take its time. Any thread.</summary>
    public void Release(UserAccount account)
    {
        if (Interlocked.Decrement(ref _holders) != 0) return;
        Libc.munmap(_mapping, MappedBytes);
        if (Payer is not null) MapReserve.Return(Payer, 1);
        ForeignDescriptors.Close(_memory, account);
    }
}
