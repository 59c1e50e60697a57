using System;
using FreeFlow.Contract.Layout;
using FreeFlow.Native;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>A family table as a shim would make it.</summary>
internal sealed unsafe class FamilyMemory : IDisposable
{
    private readonly byte* _mapping;

    public FamilyMemory(long bytes = FamilyLayout.TotalBytes, int seals = SealedMemory.SizeSeals, uint magic = FamilyLayout.Magic)
    {
        Memory = Libc.memfd_create("family", Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING);
        Libc.ftruncate(Memory, bytes);
        if (seals != 0) Libc.fcntl(Memory, Libc.F_ADD_SEALS, seals);
        _mapping = (byte*)Libc.mmap(null, (nuint)bytes, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_SHARED, Memory, 0);
        Header->Magic = magic;
        Header->Version = FamilyLayout.Version;
        Header->SlotCount = FamilyLayout.SlotCount;
        Header->RecordCount = FamilyLayout.RecordCount;
    }

    public int Memory { get; }

    public FamilyHeader* Header => (FamilyHeader*)_mapping;

    public ConnectionRecord* Record(uint index) => (ConnectionRecord*)(_mapping + FamilyLayout.RecordsOffset) + index;

    public uint Mailbox(uint slot) => ((SessionSlot*)(_mapping + FamilyLayout.SlotsOffset) + slot)->Mailbox;

    public void Dispose() => Libc.close(Memory); // the mapping stays until the test ends: late readers must not crash it
}
