using System;
using FreeFlow.Contract.Layout;
using FreeFlow.Native;

namespace FreeFlow.Router.Sessions;

/// <summary>A new ring: one sealed memfd and two doorbells, on their way to the two ends. The router keeps nothing of it.</summary>
internal sealed unsafe class Ring : IDisposable
{
    private Ring(int memory, int firstDoorbell, int secondDoorbell)
    {
        Memory = memory;
        FirstDoorbell = firstDoorbell;
        SecondDoorbell = secondDoorbell;
    }

    public int Memory { get; }

    /// <summary>Rung for side 0.</summary>
    public int FirstDoorbell { get; }

    /// <summary>Rung for side 1.</summary>
    public int SecondDoorbell { get; }

    /// <summary>Makes one of <paramref name="capacity"/> data bytes each way; null with errno if memory or descriptors are short.</summary>
    public static Ring? TryCreate(ulong capacity)
    {
        Ring ring = new(
            Libc.memfd_create("freeflow-ring", Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING),
            Libc.eventfd(0, Libc.EFD_NONBLOCK | Libc.EFD_CLOEXEC),
            Libc.eventfd(0, Libc.EFD_NONBLOCK | Libc.EFD_CLOEXEC));
        if (ring.Memory >= 0 && ring.FirstDoorbell >= 0 && ring.SecondDoorbell >= 0
            && Libc.ftruncate(ring.Memory, (long)RingLayout.TotalBytes(capacity)) == 0
            && WriteHeader(ring.Memory, 0, capacity) && WriteHeader(ring.Memory, 1, capacity)
            && Libc.fcntl(ring.Memory, Libc.F_ADD_SEALS, SealedMemory.SizeSeals) == 0)
        {
            return ring;
        }
        ring.Dispose();
        return null;
    }

    public void Dispose()
    {
        if (Memory >= 0) Libc.close(Memory);
        if (FirstDoorbell >= 0) Libc.close(FirstDoorbell);
        if (SecondDoorbell >= 0) Libc.close(SecondDoorbell);
    }

    private static bool WriteHeader(int memory, uint side, ulong capacity)
    {
        // The reader counts as waiting from the beginning, or the first byte would ring no bell.
        RingBlockHeader header = new() { Magic = RingLayout.Magic, Version = RingLayout.Version, Capacity = capacity, ReaderWaiting = 1 };
        return Libc.pwrite(memory, &header, (nuint)sizeof(RingBlockHeader), (long)RingLayout.WriterBlockOffset(side, capacity)) == sizeof(RingBlockHeader);
    }
}
