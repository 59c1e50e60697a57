using System.Runtime.InteropServices;

namespace FreeFlow.Contract.Layout;

/// <summary>One process of the family.</summary>
[StructLayout(LayoutKind.Explicit, Size = FamilyLayout.SlotBytes)]
public struct SessionSlot
{
    /// <summary>The process, by its own pid namespace; 0 if the slot is free.</summary>
    [FieldOffset(0)] public int ProcessId;

    /// <summary>Raised by the router after each message it sends to this process, so that the shim can see without a system call that one waits.</summary>
    [FieldOffset(4)] public uint Mailbox;

    /// <summary>Raised by the router after each message of this process that it has dealt with: a router that stands still must be shown no sockets, which it would keep open.</summary>
    [FieldOffset(8)] public uint Handled;
}
