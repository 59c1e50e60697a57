using System.Runtime.InteropServices;

namespace FreeFlow.Contract.Layout;

/// <summary>
/// What the router shares with a datagram (UD) queue pair: a sealed memfd of one page, which only the router writes, beside a socket. Each
/// path that somebody opens to the queue pair is
/// one message on that socket (<see cref="Messages.VerbsArrival"/>); this page says how many there have been, so that nobody has to ask the kernel.
/// <code>
///   0 Magic Version
///  64 Arrivals
/// </code>
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
public struct InboxHeader
{
    public const int Bytes = 4096;

    /// <summary>"FFD1" in memory.</summary>
    public const uint ExpectedMagic = 0x31444646;

    /// <summary>Another layout has another version.</summary>
    public const uint ExpectedVersion = 1;

    [FieldOffset(0)] public uint Magic;
    [FieldOffset(4)] public uint Version;

    /// <summary>Messages that the router has sent. Raised behind each.</summary>
    [FieldOffset(64)] public ulong Arrivals;
}
