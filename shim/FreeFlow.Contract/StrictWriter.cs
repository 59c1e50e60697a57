using System;
using MessagePack;

namespace FreeFlow.Contract;

/// <summary>
/// Writes the few MessagePack forms that messages use, always in their shortest encoding (MessagePack specification, "int format family",
/// "str", "array"), by <see cref="MessagePackPrimitives"/>. Never throws, never allocates: what does not fit sets <see cref="Failed"/>.
/// </summary>
public ref struct StrictWriter(Span<byte> buffer)
{
    /// <summary>Most elements of an array: a fixarray's.</summary>
    internal const int MaximumElements = 15;

    /// <summary>Most bytes of a string, or of bytes: those that str 8 and bin 8 count.</summary>
    internal const int MaximumStringBytes = byte.MaxValue;

    private readonly Span<byte> _buffer = buffer;

    /// <summary>Bytes written so far.</summary>
    public int Length { get; private set; }

    /// <summary>True once something did not fit; the buffer's content is then worthless.</summary>
    public bool Failed { get; private set; }

    /// <summary>The bytes written so far.</summary>
    internal readonly ReadOnlySpan<byte> Written => _buffer[..Length];

    private readonly Span<byte> Rest => _buffer[Length..];

    /// <summary>Header of an array of at most 15 elements (fixarray).</summary>
    public void WriteArrayHeader(int count)
    {
        int written = 0;
        Advance(!Failed && count is >= 0 and <= MaximumElements && MessagePackPrimitives.TryWriteArrayHeader(Rest, (uint)count, out written), written);
    }

    /// <summary>An unsigned integer: positive fixint, or uint 8 to 64.</summary>
    public void WriteUInt64(ulong value)
    {
        int written = 0;
        Advance(!Failed && MessagePackPrimitives.TryWrite(Rest, value, out written), written);
    }

    /// <summary>A string of at most 255 UTF-8 bytes (fixstr or str 8).</summary>
    public void WriteString(scoped ReadOnlySpan<byte> utf8)
    {
        WriteStringHeader((uint)utf8.Length);
        Append(utf8);
    }

    /// <summary>At most 255 bytes (bin 8).</summary>
    public void WriteBytes(scoped ReadOnlySpan<byte> bytes)
    {
        WriteBytesHeader((uint)bytes.Length);
        Append(bytes);
    }

    /// <summary>The header of a string of at most 255 bytes, which follow.</summary>
    internal void WriteStringHeader(uint bytes)
    {
        int written = 0;
        Advance(!Failed && bytes <= MaximumStringBytes && MessagePackPrimitives.TryWriteStringHeader(Rest, bytes, out written), written);
    }

    /// <summary>The header of at most 255 bytes, which follow.</summary>
    internal void WriteBytesHeader(uint bytes)
    {
        int written = 0;
        Advance(!Failed && bytes <= MaximumStringBytes && MessagePackPrimitives.TryWriteBinHeader(Rest, bytes, out written), written);
    }

    private void Append(scoped ReadOnlySpan<byte> bytes)
    {
        if (Failed || !bytes.TryCopyTo(Rest)) { Failed = true; return; }
        Length += bytes.Length;
    }

    private void Advance(bool fits, int written)
    {
        if (fits) Length += written;
        else Failed = true;
    }
}
