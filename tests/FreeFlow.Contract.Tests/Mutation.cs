namespace FreeFlow.Contract.Tests;

/// <summary>One change of a message: a bit or a byte is another, is gone, or is new.</summary>
internal readonly record struct Mutation(int Kind, int At, byte Value)
{
    public byte[] Apply(byte[] message)
    {
        if (message.Length == 0) return [Value];
        int at = At % message.Length;
        byte[] before = message[..at], after = message[(at + 1)..];
        return Kind switch
        {
            0 => [.. before, (byte)(message[at] ^ (1 << (Value % 8))), .. after],
            1 => [.. before, Value, .. after],
            2 => [.. before, .. after],
            _ => [.. before, Value, message[at], .. after],
        };
    }
}
