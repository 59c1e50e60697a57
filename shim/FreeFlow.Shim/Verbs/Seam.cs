namespace FreeFlow.Shim.Verbs;

/// <summary>What native/verbs.c hands over. Set once, when the core is opened.</summary>
internal static unsafe class Seam
{
    /// <summary>The virtual device (struct ibv_device in <see cref="DeviceBytes"/> zeroed bytes): its address tells our objects from a real device's.</summary>
    public static byte* Device;

    public const int DeviceBytes = 1024;

    /// <summary>Begin and end of the pages that are being moved, 0 if none are; then how many moves there have been.</summary>
    public static nuint* Moving;

    /// <summary>The real library's call of that name (NUL at its end); null if there is none.</summary>
    public static delegate* unmanaged[SuppressGCTransition]<byte*, void*> Real;
}
