using System.Runtime.InteropServices;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;
using FreeFlow.Shim.Sockets;
using FreeFlow.Shim.Uring;
using FreeFlow.Shim.Verbs;
using FreeFlow.Shim.Verbs.Exports;

namespace FreeFlow.Shim.Exports;

/// <summary>What the C glue calls by name: once, to open the core, and per call only if raw addresses are switched off.</summary>
public static unsafe class CoreEntry
{
    /// <summary>
    /// Takes over what the glue has and fills its table with the addresses of the interposed methods, in the generator's order. 0, or −1 if the
    /// shim must stay out of the way. Called with all signals blocked, before any other thread can enter.
    /// </summary>
    [UnmanagedCallersOnly(EntryPoint = "ff_core_open")]
    public static int Open(CoreHandshake* handshake)
    {
        if (handshake->Size != sizeof(CoreHandshake)) return -1;
        Process.Libc = (LibC*)handshake->Libc;
        Process.Flags = handshake->DescriptorFlags;
        DescriptorFlags.Capacity = (uint)handshake->Descriptors;
        Process.TrackedConnections = handshake->TrackedConnections;
        Process.CurrentThread = (delegate* unmanaged[SuppressGCTransition]<ThreadRecord*>)handshake->CurrentThread;
        Process.Copy = (delegate* unmanaged[SuppressGCTransition]<void*, void*, nuint, int>)handshake->Copy;
        Process.CopyReturned = (delegate* unmanaged[SuppressGCTransition]<PollDescriptor*, PollDescriptor*, nuint, int>)handshake->CopyReturned;
        Process.DeliverDeferred = (delegate* unmanaged[SuppressGCTransition]<void>)handshake->DeliverDeferred;
        Process.DropDeferred = (delegate* unmanaged[SuppressGCTransition]<void>)handshake->DropDeferred;
        Process.Sleep = (delegate* unmanaged[SuppressGCTransition]<SleepRequest*, int>)handshake->Sleep;
        Process.Ticks = (delegate* unmanaged[SuppressGCTransition]<ulong>)handshake->Ticks;
        Process.Kernel = (delegate* unmanaged[SuppressGCTransition]<nint, nint, nint, nint, nint, nint, nint, nint>)handshake->Kernel;
        Seam.Device = (byte*)handshake->VerbsDevice;
        Seam.Moving = handshake->VerbsMoving;
        Seam.Real = (delegate* unmanaged[SuppressGCTransition]<byte*, void*>)handshake->VerbsReal;
        Process.Id = Process.Libc->getpid();
        Settings.Read();
        if (!Connections.Create() || !Graveyard.Create() || !Registrations.Create() || !SubmissionQueues.Create() || !Family.Create()) return -1;
        ExportTable.Fill(handshake->Table);
        VerbsTable.Fill(handshake->VerbsTable);
        return 0;
    }

    /// <summary>
    /// Calls a method of the table through the runtime's own transition: the fallback where raw addresses do not work, and
    /// FREEFLOW_CALLS=unmanaged.
    /// </summary>
    [UnmanagedCallersOnly(EntryPoint = "ff_core_call")]
    public static nint Call(nint method, nint a, nint b, nint c, nint d, nint e, nint f) =>
        ((delegate*<nint, nint, nint, nint, nint, nint, nint>)method)(a, b, c, d, e, f);

    /// <summary>What the glue calls by raw address to see whether that works: adds, and touches static data.</summary>
    internal static nint SelfTest(nint value) => value + sizeof(CoreHandshake) + (Process.Libc == null ? 0 : 1);
}
