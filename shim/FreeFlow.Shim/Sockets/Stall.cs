using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// How long this process may be held up by peers that have to be waited for outside a call that waits by itself (a way back to the kernel, the last
/// news of a death). A hostile one could otherwise hold a server up as often as it connects. Short waits are granted always; of long ones there is a
/// store that fills up at a thirtieth of the time that passes.
/// </summary>
internal static unsafe class Stall
{
    private const ulong Store = 10_000_000_000;
    private const ulong Always = 5_000_000;
    private const ulong Share = 30;

    private static ulong _used;
    private static ulong _at;

    /// <summary>The time granted out of what is wanted, in nanoseconds. Threads may both be granted the same rest: no matter.</summary>
    public static ulong Allow(ulong wanted)
    {
        ulong now = Process.Now(), refilled = (now - _at) / Share;
        _used = refilled > _used ? 0 : _used - refilled;
        _at = now;
        ulong left = _used < Store ? Store - _used : 0;
        if (left < Always) left = Always;
        return wanted < left ? wanted : left;
    }

    /// <summary>Notes the time that was really spent, since <paramref name="start"/>.</summary>
    public static void Spent(ulong start)
    {
        ulong used = _used + (Process.Now() - start);
        _used = used < Store ? used : Store;
    }
}
