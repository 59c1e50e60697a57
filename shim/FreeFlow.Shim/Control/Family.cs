using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Control;

/// <summary>
/// The family table (<see cref="FamilyLayout"/>): made by the first process of a family, inherited over fork at the same address, shown to the
/// router in Hello. Its memfd is one of the shim's own descriptors.
/// </summary>
internal static unsafe class Family
{
    public static FamilyHeader* Header;
    public static SessionSlot* Slots;
    public static ConnectionRecord* Records;
    public static DoorbellState* Doorbells;
    public static int Descriptor;

    /// <summary>False if memory or descriptors are short: the shim then stays out of the way.</summary>
    public static bool Create()
    {
        int fd;
        fixed (byte* name = "freeflow-family\0"u8) fd = Process.Libc->memfd_create(name, Linux.MFD_CLOEXEC | Linux.MFD_ALLOW_SEALING);
        fd = OwnDescriptors.Adopt(fd);
        if (fd < 0) return false;
        void* memory = (void*)-1;
        if (Process.Libc->ftruncate(fd, FamilyLayout.TotalBytes) == 0
            && Process.Libc->fcntl(fd, Linux.F_ADD_SEALS, (void*)(Linux.F_SEAL_SHRINK | Linux.F_SEAL_GROW | Linux.F_SEAL_SEAL)) == 0)
        {
            memory = Process.Libc->mmap(null, (nuint)FamilyLayout.TotalBytes, Linux.PROT_READ | Linux.PROT_WRITE, Linux.MAP_SHARED, fd, 0);
        }
        if ((nint)memory == -1) { OwnDescriptors.Close(fd); return false; }

        Header = (FamilyHeader*)memory;
        Slots = (SessionSlot*)((byte*)memory + FamilyLayout.SlotsOffset);
        Records = (ConnectionRecord*)((byte*)memory + FamilyLayout.RecordsOffset);
        Doorbells = (DoorbellState*)((byte*)memory + FamilyLayout.DoorbellsOffset);
        Descriptor = fd;
        Header->Magic = FamilyLayout.Magic;
        Header->Version = FamilyLayout.Version;
        Header->SlotCount = FamilyLayout.SlotCount;
        Header->RecordCount = FamilyLayout.RecordCount;
        return true;
    }

    /// <summary>Takes a free record, zeroed but for its generation; returns its index plus one, or 0 if the table is full.</summary>
    public static uint TakeRecord()
    {
        uint start = Volatile.Read(ref Header->NextRecord);
        for (uint step = 0; step < FamilyLayout.RecordCount; step++)
        {
            uint index = (start + step) % FamilyLayout.RecordCount;
            ConnectionRecord* record = Records + index;
            if (record->State != (uint)ConnectionState.Free
                || Interlocked.CompareExchange(ref record->State, (uint)ConnectionState.Kernel, (uint)ConnectionState.Free) != (uint)ConnectionState.Free) continue;
            Volatile.Write(ref Header->NextRecord, index + 1);
            uint used = Volatile.Read(ref Header->RecordsUsed);
            while (used <= index)
            {
                uint seen = Interlocked.CompareExchange(ref Header->RecordsUsed, index + 1, used);
                if (seen == used) break;
                used = seen;
            }
            return index + 1;
        }
        return 0;
    }

    /// <summary>Frees a record that no process of the family holds any more.</summary>
    public static void ReturnRecord(ConnectionRecord* record)
    {
        uint generation = record->Generation + 1;
        if (record->SendTail + record->EarlierSent != 0) Interlocked.Add(ref Header->RingBytes, record->SendTail + record->EarlierSent);
        ServiceCounts.Add(Header, record);
        if (record->DoorbellState != 0) Interlocked.Decrement(ref ((DoorbellState*)record->DoorbellState)->Users);
        ulong* words = (ulong*)record;
        // The state word stays set until everything else is clean: a taker looks at it alone.
        for (int i = 1; i < FamilyLayout.RecordBytes / sizeof(ulong); i++) words[i] = 0;
        Volatile.Write(ref record->Generation, generation);
        Volatile.Write(ref record->State, (uint)ConnectionState.Free);
        uint index = (uint)(record - Records);
        if (index < Volatile.Read(ref Header->NextRecord)) Volatile.Write(ref Header->NextRecord, index);
    }

    /// <summary>A fresh doorbell for a record; null if none is free. Its own place is, unless connections that shared it have outlived an earlier one there.</summary>
    public static DoorbellState* TakeDoorbell(uint connection)
    {
        for (uint step = 0; step < FamilyLayout.RecordCount; step++)
        {
            DoorbellState* state = Doorbells + ((connection + step) % FamilyLayout.RecordCount);
            if (Interlocked.CompareExchange(ref state->Users, 1, 0) != 0) continue;
            state->Lock = state->DrainsRefused = 0;
            state->RefusedSince = 0;
            state->Sleepers = 0;
            return state;
        }
        return null;
    }

    /// <summary>Takes a session slot for this process, reusing those of dead ones; −1 if there is none.</summary>
    public static int TakeSlot()
    {
        for (int i = 0; i < FamilyLayout.SlotCount; i++)
        {
            int owner = Volatile.Read(ref Slots[i].ProcessId);
            if (owner == Process.Id) return i;
            if (owner != 0 && !(Process.Libc->kill(owner, 0) != 0 && Process.Errno == Linux.ESRCH)) continue;
            if (Interlocked.CompareExchange(ref Slots[i].ProcessId, Process.Id, owner) == owner) return i;
        }
        return -1;
    }
}
