using System.Runtime.InteropServices;

namespace FreeFlow.Contract.Layout;

/// <summary>
/// The memory of a refill (<see cref="Messages.RefillRequest"/>): a memfd whose size is sealed, made by the process.
/// <code>
///   0 Magic Version State
///  16 Length
///  64 bytes of the stream, Length of them
/// </code>
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
public struct RefillHeader
{
    public const int Bytes = 64, StateOffset = 8;

    /// <summary>"FFB1" in memory.</summary>
    public const uint ExpectedMagic = 0x31424646;

    /// <summary>Another layout has another version.</summary>
    public const uint ExpectedVersion = 1;

    /// <summary>No process has more unread than a ring holds, and what its kernel had taken before.</summary>
    public const ulong MostBytes = 2UL << 26;

    [FieldOffset(0)] public uint Magic;
    [FieldOffset(4)] public uint Version;

    /// <summary><see cref="RefillState"/>.</summary>
    [FieldOffset(StateOffset)] public uint State;

    /// <summary>How many bytes there are, once they do.</summary>
    [FieldOffset(16)] public ulong Length;
}
