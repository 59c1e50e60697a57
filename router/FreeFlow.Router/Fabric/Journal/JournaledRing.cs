using System.Runtime.InteropServices;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Fabric.Journal;

/// <summary>
/// A mirrored ring that a router has given to a program, as its file has it (<see cref="RingJournal"/>, version 1, little endian, this machine's only). All of it is the kernel's word, none the program's.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct JournaledRing
{
    /// <summary>0: the place is free. Written last.</summary>
    [FieldOffset(0)] public uint IsUsed;

    /// <summary>Who has shown the socket.</summary>
    [FieldOffset(4)] public int Process;

    /// <summary>The socket's number there, most likely; −1 if unknown.</summary>
    [FieldOffset(8)] public int Number;

    /// <summary>The memfd, as fstat(2) names it.</summary>
    [FieldOffset(16)] public ulong MemoryDevice;
    [FieldOffset(24)] public ulong MemoryInode;

    /// <summary>The program's socket.</summary>
    [FieldOffset(32)] public SocketName Socket;

    /// <summary>The program's end of the doorbell.</summary>
    [FieldOffset(48)] public SocketName Doorbell;
}
