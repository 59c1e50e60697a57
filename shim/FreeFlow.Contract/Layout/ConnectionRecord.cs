using System.Runtime.InteropServices;

namespace FreeFlow.Contract.Layout;

/// <summary>
/// One tracked TCP connection of a process family: what status shows, and the family's own, trusted side of the ring (the peer cannot reach it).
/// Version 7, little endian. Lines of 64 bytes are grouped by who is busy with them: identity, counters, ring and sender, receiver.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = FamilyLayout.RecordBytes)]
public unsafe struct ConnectionRecord
{
    // ---- identity
    /// <summary>Raised each time the record is freed; an answer for an older generation is ignored.</summary>
    [FieldOffset(0)] public uint Generation;
    /// <summary>A <see cref="ConnectionState"/>.</summary>
    [FieldOffset(4)] public uint State;
    /// <summary>A <see cref="Contract.Reason"/>.</summary>
    [FieldOffset(8)] public uint Reason;
    /// <summary>Bits private to the shim.</summary>
    [FieldOffset(12)] public uint Flags;
    /// <summary>CLOCK_MONOTONIC nanoseconds at connect or accept.</summary>
    [FieldOffset(16)] public ulong CreatedNanoseconds;
    /// <summary>The process that made or last offered it, by its own pid namespace, and the descriptor's number there.</summary>
    [FieldOffset(24)] public int ProcessId;
    [FieldOffset(28)] public int Descriptor;
    /// <summary>AF_INET (2) or AF_INET6 (10); an IPv4-mapped address is written as AF_INET.</summary>
    [FieldOffset(32)] public ushort Family;
    [FieldOffset(34)] public ushort LocalPort;
    [FieldOffset(36)] public ushort RemotePort;
    /// <summary>Network order; an IPv4 address takes the first four bytes.</summary>
    [FieldOffset(40)] public fixed byte LocalAddress[16];
    [FieldOffset(56)] public fixed byte RemoteAddress[16];

    // ---- holders and kernel counters
    /// <summary>Processes of the family that have the socket open; 0 is an empty place.</summary>
    [FieldOffset(72)] public fixed int Holders[6];
    /// <summary>Holders beyond those.</summary>
    [FieldOffset(96)] public uint MoreHolders;
    /// <summary>Calls that moved bytes, until the connection is offered.</summary>
    [FieldOffset(100)] public uint Messages;
    [FieldOffset(104)] public ulong KernelSent;
    [FieldOffset(112)] public ulong KernelReceived;
    /// <summary>The <see cref="Contract.Reason"/> for which FREEFLOW_STRICT has refused it; 0 if it has not.</summary>
    [FieldOffset(120)] public uint Refused;
    /// <summary>FREEFLOW_STRICT: messages that went by the kernel because of an obstacle that may pass.</summary>
    [FieldOffset(124)] public uint Obstructed;

    // ---- ring and sender
    /// <summary>Where the ring is mapped in every holder; 0 without a ring.</summary>
    [FieldOffset(128)] public ulong RingAddress;
    [FieldOffset(136)] public ulong Capacity;
    [FieldOffset(144)] public uint Side;
    /// <summary>This end of the doorbell: rung for this side, and the way to ring the peer's. Connections that share it have the same number here.</summary>
    [FieldOffset(148)] public int Doorbell;
    /// <summary>Unread bytes that a sender may leave in the ring: its capacity, or less if the socket's buffers were made small.</summary>
    [FieldOffset(152)] public uint SendWindow;
    /// <summary>Thread that is inside the sending half, 0 if none.</summary>
    [FieldOffset(156)] public uint SendLock;
    /// <summary>Calls that are sending through the kernel now (low half) and the direction's state (high half).</summary>
    [FieldOffset(160)] public ulong SendGate;
    [FieldOffset(168)] public ulong SendTail;
    [FieldOffset(176)] public ulong SendBase;
    [FieldOffset(184)] public ulong SendHeadSeen;

    // ---- receiver
    /// <summary>Thread that is inside the receiving half, 0 if none.</summary>
    [FieldOffset(192)] public uint ReceiveLock;
    /// <summary>1: the kernel socket reported something that must be looked at (end of stream, error).</summary>
    [FieldOffset(196)] public uint KernelAttention;
    /// <summary>Calls that are receiving from the kernel now (low half) and the direction's state (high half).</summary>
    [FieldOffset(200)] public ulong ReceiveGate;
    [FieldOffset(208)] public ulong ReceiveHead;
    /// <summary>Kernel payload bytes read so far, counted from the moment the reader announced Ready.</summary>
    [FieldOffset(216)] public ulong KernelConsumed;
    /// <summary>Kernel payload bytes that come before the ring's first byte, valid once the direction is in the ring.</summary>
    [FieldOffset(224)] public ulong ReceiveSwitchAt;
    /// <summary>Reads that found the ring empty, to look at the kernel socket now and then.</summary>
    [FieldOffset(232)] public uint EmptyReads;
    /// <summary>An errno the kernel reported while the ring still held bytes; delivered after them.</summary>
    [FieldOffset(236)] public int PendingError;
    /// <summary>CLOCK_MONOTONIC nanoseconds at the last such look.</summary>
    [FieldOffset(240)] public ulong KernelLookedAt;

    // ---- sleeping
    /// <summary>Address of the doorbell's <see cref="DoorbellState"/> in every holder; 0 without a ring.</summary>
    [FieldOffset(256)] public ulong DoorbellState;
    /// <summary>1: a sender found the ring full; the next edge-triggered EPOLLOUT is owed.</summary>
    [FieldOffset(264)] public uint SendBlocked;
    /// <summary>Times that a sender found the reader not to have taken anything since the last time.</summary>
    [FieldOffset(268)] public uint SendsUnread;

    // ---- the return from a mirrored ring (docs/fabric.md)
    /// <summary>Sender: ring position from which the kernel carries the bytes again.</summary>
    [FieldOffset(272)] public ulong SendReturnFrom;
    /// <summary>Sender: what the kernel has taken of the mark and of the ring's rest behind it.</summary>
    [FieldOffset(280)] public ulong SendReturned;
    /// <summary>Receiver: ring position of the next kernel byte; both positions come from the kernel, behind the mark.</summary>
    [FieldOffset(288)] public ulong ReceiveReturnNext;
    /// <summary>Receiver: ring position at which the sender left the ring.</summary>
    [FieldOffset(296)] public ulong ReceiveReturnEnd;
    /// <summary>Receiver: position up to which the ring is read.</summary>
    [FieldOffset(304)] public ulong ReceiveBackAt;
    /// <summary>Receiver: bytes of the mark that have been read.</summary>
    [FieldOffset(312)] public uint ReceiveMarkBytes;

    // ---- from one mirrored ring to the next (docs/fabric.md)
    /// <summary>Marks this end has written into the kernel stream, or begun to: what the other end has to have found before it takes a new ring.</summary>
    [FieldOffset(316)] public uint MarksSent;
    /// <summary>Marks this end has found there.</summary>
    [FieldOffset(320)] public uint MarksFound;
    /// <summary>Milliseconds that this end waits after the loss of a ring before it offers the connection again.</summary>
    [FieldOffset(324)] public uint Pause;
    /// <summary>CLOCK_MONOTONIC nanoseconds before which it is not offered again.</summary>
    [FieldOffset(328)] public ulong OfferAgainAt;
    /// <summary>CLOCK_MONOTONIC nanoseconds at the last join.</summary>
    [FieldOffset(336)] public ulong JoinedAt;
    /// <summary>Bytes sent and read by earlier rings.</summary>
    [FieldOffset(344)] public ulong EarlierSent;
    [FieldOffset(352)] public ulong EarlierReceived;
    /// <summary>Of KernelReceived: marks, and bytes behind them that had been read from a ring. The program has had none of them.</summary>
    [FieldOffset(360)] public ulong KernelDropped;
}
