namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>union ibv_gid, in two halves as they lie in memory (network order).</summary>
internal struct IbvGid
{
    private const uint Mapped = 0xffff0000;

    public ulong High, Low;

    /// <summary>::ffff:a.b.c.d.</summary>
    public readonly bool IsIPv4 => High == 0 && (uint)Low == Mapped;

    /// <summary>The IPv4 address as it lies in memory.</summary>
    public readonly uint IPv4 => (uint)(Low >> 32);

    public static IbvGid OfIPv4(uint address) => new() { High = 0, Low = Mapped | ((ulong)address << 32) };

    public readonly bool Is(in IbvGid other) => High == other.High && Low == other.Low;
}
