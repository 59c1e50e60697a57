using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FreeFlow.Contract.Layout;

namespace FreeFlow.Cli.Trace;

/// <summary>Copies what one direction of a ring carries. It holds nobody up: what the writer has overwritten before it was read here is counted.</summary>
/// <param name="memory">The ring.</param>
/// <param name="block">Where the direction's block begins.</param>
/// <param name="capacity">Of its data; a valid one.</param>
internal sealed class RingTap(ProcessMemory memory, ulong block, ulong capacity)
{
    private ulong? _position;

    /// <summary>Ring position of the next byte.</summary>
    public ulong Position => _position ?? 0;

    /// <summary>Bytes that were overwritten before they were read here.</summary>
    public ulong Dropped { get; private set; }

    /// <summary>A ring of this size lies there.</summary>
    public bool IsRing => TryRead(out RingBlockHeader header) && header.Version == RingLayout.Version && header.Capacity == capacity;

    /// <summary>The next bytes into <paramref name="buffer"/>, and the position of the first of them; 0 if there are none, −1 if the ring cannot be read any more.</summary>
    public int Read(byte[] buffer, out ulong position)
    {
        position = Position;
        if (!TryRead(out RingBlockHeader before)) return -1;
        // From the beginning, as far as it is still there: a ring begins with position 0.
        ulong from = _position ??= before.Tail > capacity ? before.Tail : before.Base, tail = before.Tail;
        if (tail <= from) return 0;
        ulong gone = Math.Max(from, Math.Max(before.Base, tail > capacity ? tail - capacity : 0)) - from;
        if (gone > tail - from) gone = tail - from;
        from += gone;
        ulong offset = (from - before.Base) & (capacity - 1), length = Math.Min(Math.Min(tail - from, (ulong)buffer.Length), capacity - offset);
        if (length > 0 && !memory.Read(block + RingLayout.HeaderBytes + offset, buffer.AsSpan(0, (int)length))) return -1;
        if (!TryRead(out RingBlockHeader after)) return -1;
        // While they were copied the writer may have come round to them, or begun again at the beginning.
        bool torn = after.Base != before.Base || after.Tail - from > capacity;
        Dropped += gone + (torn ? length : 0);
        position = from;
        _position = from + length;
        return torn ? 0 : (int)length;
    }

    private bool TryRead(out RingBlockHeader header)
    {
        header = default;
        return memory.Read(block, MemoryMarshal.AsBytes(new Span<RingBlockHeader>(ref header))[..Unsafe.SizeOf<RingBlockHeader>()]) && header.Magic == RingLayout.Magic;
    }
}
