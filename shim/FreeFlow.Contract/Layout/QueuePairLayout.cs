namespace FreeFlow.Contract.Layout;

/// <summary>
/// The memory that two connected queue pairs (RC or UC) of one host share: a sealed memfd with one block a direction, made by the router.
/// Also that of one datagram (UD) queue pair with
/// another that it sends to: messages go by block 0 alone, whole or not at all, and of block 1 only the state counts.
/// <code>
/// ┌ block 0: written by side 0, read by side 1 ────────────────────────┬ block 1: the other way ┐
/// │ header │ messages: 512 × 64 B │ receive lengths: 16,384 × 4 B │ data │ header │ …           │
/// 0       4 KiB                 36 KiB                        100 KiB                  356 KiB
/// </code>
/// Each side believes nothing that the other one writes: it copies a word, checks the copy, uses the copy.
/// </summary>
public static class QueuePairLayout
{
    /// <summary>"FFQ1" in memory.</summary>
    public const uint Magic = 0x31514646;

    /// <summary>Another layout has another version; a side that knows only one of them does not connect.</summary>
    public const uint Version = 2;

    public const int HeaderBytes = 4096;

    /// <summary>Messages on their way in one direction. A power of two.</summary>
    public const uint Messages = 512;
    public const int MessageBytes = 64;

    /// <summary>Places for the lengths of posted receives: the largest receive queue. A power of two.</summary>
    public const uint Receives = 16384;

    /// <summary>Payload bytes on their way in one direction, of messages that are longer than <see cref="InlineBytes"/>. A power of two.</summary>
    public const uint DataBytes = 1 << 18;

    /// <summary>Payload that lies in the message itself.</summary>
    public const uint InlineBytes = 32;

    public const int MessagesOffset = HeaderBytes;
    public const int ReceivesOffset = MessagesOffset + ((int)Messages * MessageBytes);
    public const int DataOffset = ReceivesOffset + ((int)Receives * sizeof(uint));
    public const int BlockBytes = DataOffset + (int)DataBytes;
    public const int TotalBytes = 2 * BlockBytes;

    /// <summary>Payload of a datagram: the port's MTU.</summary>
    public const uint DatagramBytes = 4096;

    /// <summary>A receive length that says: the receiver may not write there. A message with a payload ends with a remote operation error.</summary>
    public const uint RefusedLength = uint.MaxValue;
}
