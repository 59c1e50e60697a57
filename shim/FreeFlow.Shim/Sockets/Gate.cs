using System.Threading;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// A direction's gate: calls that are inside the kernel in the low half, <see cref="DirectionPhase"/> in the high half. A direction may leave the
/// kernel only while nobody is inside: otherwise a byte on its way into the kernel could end up behind the switch.
/// </summary>
internal static unsafe class Gate
{
    public static DirectionPhase Phase(ulong* gate) => (DirectionPhase)(Volatile.Read(ref *gate) >> 32);

    /// <summary>Enters the kernel path; false if the direction has left it, or (rare) if this thread itself is switching it.</summary>
    public static bool Enter(ulong* gate, uint* directionLock)
    {
        while (true)
        {
            ulong seen = Volatile.Read(ref *gate);
            switch ((DirectionPhase)(seen >> 32))
            {
                case DirectionPhase.Kernel:
                    if (Interlocked.CompareExchange(ref *gate, seen + 1, seen) == seen) return true;
                    break;
                case DirectionPhase.Switching:
                    if (!ThreadLock.Enter(directionLock)) return false;
                    ThreadLock.Exit(directionLock);
                    break;
                default:
                    return false;
            }
        }
    }

    /// <summary>
    /// Leaves the kernel path after <see cref="Enter"/>. Also for a caller that does not know whether it entered, or whose connection was closed meanwhile:
    /// whoever is inside keeps the phase at Kernel and the count above 0.
    /// </summary>
    public static void Leave(ulong* gate)
    {
        while (true)
        {
            ulong seen = Volatile.Read(ref *gate);
            if ((DirectionPhase)(seen >> 32) != DirectionPhase.Kernel || seen == 0) return;
            if (Interlocked.CompareExchange(ref *gate, seen - 1, seen) == seen) return;
        }
    }

    /// <summary>True while a call is inside the kernel.</summary>
    public static bool IsBusy(ulong* gate) => (uint)Volatile.Read(ref *gate) != 0;

    /// <summary>Closes the gate for a switch if nobody is inside. Caller holds the direction's lock.</summary>
    public static bool TryClose(ulong* gate) => Interlocked.CompareExchange(ref *gate, (ulong)DirectionPhase.Switching << 32, 0) == 0;

    /// <summary>Sets the phase after <see cref="TryClose"/> succeeded, or in any later phase, where nobody is counted.</summary>
    public static void Set(ulong* gate, DirectionPhase phase) => Volatile.Write(ref *gate, (ulong)phase << 32);
}
