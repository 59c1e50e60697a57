using System.Runtime.InteropServices;

namespace FreeFlow.Contract.Layout;

/// <summary>
/// Head of one direction's block (<see cref="QueuePairLayout"/>), version 2, little endian. "Sender" is who sends messages in this
/// direction, "reader" who takes them; words of
/// different writers lie on different cache lines. Counters never go back; positions are counted in bytes or messages from the beginning.
/// <code>
///   0 Magic Version
///  64 State ── Revocations ── DataTail ── four counters      the sender's
/// 128 Consumed ── DataHead                                   the reader's
/// 192 Receives ── ReceiveMask ── RnrTimer ── IsShared        the reader's
/// 256 ReaderWaiting     320 WriterWaiting                    set by who sleeps, cleared by who wakes
/// 384 Gone                                                   the router's
/// </code>
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = QueuePairLayout.HeaderBytes)]
public struct QueuePairHeader
{
    [FieldOffset(0)] public uint Magic;
    [FieldOffset(4)] public uint Version;

    /// <summary>A <see cref="QueuePairState"/>: whether the sender's queue pair takes part.</summary>
    [FieldOffset(64)] public uint State;
    /// <summary>Raised by the sender when one of its memory regions, or its access rights, are withdrawn: what the other side has been granted has to be asked for anew.</summary>
    [FieldOffset(72)] public ulong Revocations;
    /// <summary>Payload bytes written behind the messages.</summary>
    [FieldOffset(80)] public ulong DataTail;

    // For the status only.
    /// <summary>Messages published and their payload bytes, whether they lie in the message or in the data area.</summary>
    [FieldOffset(88)] public ulong MessagesSent;
    [FieldOffset(96)] public ulong MessageBytes;
    /// <summary>Reads, writes and atomic operations done on the reader's memory, and their bytes.</summary>
    [FieldOffset(104)] public ulong RemoteOperations;
    [FieldOffset(112)] public ulong RemoteBytes;

    /// <summary>Messages that have been taken, whether they succeeded or not.</summary>
    [FieldOffset(128)] public ulong Consumed;
    /// <summary>Payload bytes that have been taken.</summary>
    [FieldOffset(136)] public ulong DataHead;

    /// <summary>
    /// Receives ever posted. A message whose number is smaller has a receive, and can complete at once if its payload fits. From a shared
    /// queue: a message whose number is not smaller has
    /// found none.
    /// </summary>
    [FieldOffset(192)] public ulong Receives;
    /// <summary>Receive number n has its length at place n AND this.</summary>
    [FieldOffset(200)] public uint ReceiveMask;
    /// <summary>The reader's minimum RNR NAK timer (IBA 9.7.5.2.8), coded, 5 bits.</summary>
    [FieldOffset(204)] public uint RnrTimer;
    /// <summary>1: receives come from a shared queue; a message completes when it is taken.</summary>
    [FieldOffset(208)] public uint IsShared;

    /// <summary>1: the reader sleeps, or is about to, until a message comes.</summary>
    [FieldOffset(256)] public uint ReaderWaiting;
    /// <summary>1: the sender sleeps, or is about to, until messages are taken or receives are posted.</summary>
    [FieldOffset(320)] public uint WriterWaiting;

    /// <summary>1: the sender's process has ended, or its queue pair has been destroyed or reset.</summary>
    [FieldOffset(384)] public uint Gone;
}
