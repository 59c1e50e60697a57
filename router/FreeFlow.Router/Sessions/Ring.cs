using System;
using FreeFlow.Contract.Layout;
using FreeFlow.Native;

namespace FreeFlow.Router.Sessions;

/// <summary>A new ring: one sealed memfd and the two ends of a doorbell, on their way to the two ends. The router keeps nothing of it.</summary>
internal sealed unsafe class Ring : IDisposable
{
    /// <summary>Of its memory, as /proc shows it.</summary>
    public const string Name = "freeflow-ring";

    /// <summary>This kernel lets a program put descriptors into a doorbell.</summary>
    public static bool DoorbellsTakeDescriptors { get; private set; }

    private Ring(int memory, int firstDoorbell, int secondDoorbell)
    {
        Memory = memory;
        FirstDoorbell = firstDoorbell;
        SecondDoorbell = secondDoorbell;
    }

    public int Memory { get; }

    /// <summary>Who has been given its descriptors: from then on they may hold anything, and are closed at this user's cost. Null: nobody.</summary>
    public UserAccount? GivenTo { get; set; }

    /// <summary>Side 0's end: what it reads there was rung for it.</summary>
    public int FirstDoorbell { get; }

    /// <summary>Side 1's.</summary>
    public int SecondDoorbell { get; }

    /// <summary>Makes one of <paramref name="capacity"/> data bytes each way, with a doorbell of its own or without; null with errno if memory or descriptors are short.</summary>
    public static Ring? TryCreate(ulong capacity, bool withDoorbell)
    {
        int* ends = stackalloc int[2] { -1, -1 };
        if (withDoorbell) _ = Libc.socketpair(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, 0, ends);
        Ring ring = new(Libc.memfd_create(Name, Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING), ends[0], ends[1]);
        bool spent = DescriptorReserve.IsTooHigh(ring.Memory) || DescriptorReserve.IsTooHigh(ring.SecondDoorbell);
        if (!spent && ring.Memory >= 0 && (!withDoorbell || (ring.FirstDoorbell >= 0 && ring.SecondDoorbell >= 0))
            && Libc.ftruncate(ring.Memory, (long)RingLayout.TotalBytes(capacity)) == 0
            && WriteHeader(ring.Memory, 0, capacity) && WriteHeader(ring.Memory, 1, capacity)
            && Libc.fcntl(ring.Memory, Libc.F_ADD_SEALS, SealedMemory.SizeSeals) == 0)
        {
            if (withDoorbell) TakeNoDescriptors(ring.FirstDoorbell);
            if (withDoorbell) TakeNoDescriptors(ring.SecondDoorbell);
            return ring;
        }
        ring.Dispose();
        return null;
    }

    public void Dispose()
    {
        foreach (int descriptor in (ReadOnlySpan<int>)[Memory, FirstDoorbell, SecondDoorbell])
        {
            if (descriptor < 0) continue;
            if (GivenTo is null) Libc.close(descriptor);
            else ForeignDescriptors.Close(descriptor, GivenTo);
        }
    }

    /// <summary>
    /// A ring at the bell is a byte. Where the kernel knows how (Linux 6.16), descriptors are turned away: whoever reads or closes a socket also closes those
    /// that nobody took, and the last close(2) of some takes its time (SO_LINGER).
    /// </summary>
    public static void TakeNoDescriptors(int doorbell)
    {
        int none = 0;
        if (Libc.setsockopt(doorbell, Libc.SOL_SOCKET, Libc.SO_PASSRIGHTS, &none, sizeof(int)) != 0) DoorbellsTakeDescriptors = true;
    }

    private static bool WriteHeader(int memory, uint side, ulong capacity)
    {
        // The reader counts as waiting from the beginning, or the first byte would ring no bell.
        RingBlockHeader header = new() { Magic = RingLayout.Magic, Version = RingLayout.Version, Capacity = capacity, ReaderWaiting = 1 };
        return Libc.pwrite(memory, &header, (nuint)sizeof(RingBlockHeader), (long)RingLayout.WriterBlockOffset(side, capacity)) == sizeof(RingBlockHeader);
    }
}
