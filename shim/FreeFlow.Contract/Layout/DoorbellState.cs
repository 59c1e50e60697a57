using System.Runtime.InteropServices;

namespace FreeFlow.Contract.Layout;

/// <summary>What a process family knows of one doorbell, which several connections with the same peer process may share. Version 3, little endian.</summary>
[StructLayout(LayoutKind.Explicit, Size = FamilyLayout.DoorbellBytes)]
public struct DoorbellState
{
    /// <summary>Records whose doorbell it is; 0 if it is free.</summary>
    [FieldOffset(0)] public uint Users;

    /// <summary>Thread that counts itself among the sleepers or empties the doorbell, 0 if none.</summary>
    [FieldOffset(4)] public uint Lock;

    /// <summary>Threads that sleep in poll(2) on it.</summary>
    [FieldOffset(8)] public int Sleepers;

    /// <summary>How often in a row it was left readable because another thread seemed to sleep on it.</summary>
    [FieldOffset(12)] public uint DrainsRefused;

    /// <summary>Monotonic clock, ns, at the first of these; 0: none.</summary>
    [FieldOffset(16)] public ulong RefusedSince;
}
