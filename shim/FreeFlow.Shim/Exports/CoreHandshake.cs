using System.Runtime.InteropServices;

namespace FreeFlow.Shim.Exports;

/// <summary>struct ff_handshake of native/freeflow.h.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct CoreHandshake
{
    /// <summary>Bytes of this structure: both files of the library are of one build, or nothing is accelerated.</summary>
    public nint Size;
    public void* Libc;
    public byte* DescriptorFlags;
    public int* TrackedConnections;
    public void* CurrentThread;
    /// <summary>Out: address of <see cref="CoreEntry"/>'s self test, then one address per interposed call.</summary>
    public nint* Table;
    public void* Copy;
    public void* CopyReturned;
    public void* DeliverDeferred;
    public void* DropDeferred;
    public void* Sleep;
    public void* Ticks;
    /// <summary>Descriptor numbers that have a byte in <see cref="DescriptorFlags"/>.</summary>
    public nint Descriptors;
    public void* Kernel;
    /// <summary>Out: one address per verbs call.</summary>
    public nint* VerbsTable;
    /// <summary>Memory of the virtual device.</summary>
    public void* VerbsDevice;
    /// <summary>Begin and end of the pages that are being moved.</summary>
    public nuint* VerbsMoving;
    public void* VerbsReal;
}
