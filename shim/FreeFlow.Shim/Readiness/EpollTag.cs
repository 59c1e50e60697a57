namespace FreeFlow.Shim.Readiness;

/// <summary>
/// The data word the shim gives the kernel for accelerated registrations and their doorbells, in place of the application's:
/// 23 bits of mark, 1 bit doorbell, 8 bits generation, 32 bits index. Index all ones: the instance's nudge; one less: its private set.
/// </summary>
internal static class EpollTag
{
    private const ulong Mark = 0x5E_F10FUL << 41;
    private const ulong MarkMask = ~0UL << 41;
    private const ulong Bell = 1UL << 40;

    public static ulong ForSocket(int registration, uint generation) => Mark | ((ulong)(byte)generation << 32) | (uint)registration;

    public static ulong ForDoorbell(int registration, uint generation) => ForSocket(registration, generation) | Bell;

    public const ulong ForNudge = Mark | uint.MaxValue;

    public const ulong ForPrivateSet = Mark | (uint.MaxValue - 1);

    public static bool IsTag(ulong data) => (data & MarkMask) == (Mark & MarkMask);

    public static bool IsDoorbell(ulong tag) => (tag & Bell) != 0;

    public static int Registration(ulong tag) => (int)(uint)tag;

    public static bool IsCurrent(ulong tag, uint generation) => (byte)(tag >> 32) == (byte)generation;
}
