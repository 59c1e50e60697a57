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

    /// <summary>Enters the kernel path, whether it was never left or is taken again; false if a ring carries the direction, or (rare) if this thread itself is switching it.</summary>
    public static bool Enter(ulong* gate, uint* directionLock)
    {
        while (true)
        {
            ulong seen = Volatile.Read(ref *gate);
            switch ((DirectionPhase)(seen >> 32))
            {
                case DirectionPhase.Kernel:
                case DirectionPhase.Back:
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
    /// Leaves the kernel path after <see cref="Enter"/>. Also for a caller whose connection was closed meanwhile: whoever is inside keeps the phase at Kernel, or lets it
    /// go Back, and the count above 0.
    /// </summary>
    public static void Leave(ulong* gate)
    {
        while (true)
        {
            ulong seen = Volatile.Read(ref *gate);
            if ((DirectionPhase)(seen >> 32) is not (DirectionPhase.Kernel or DirectionPhase.Back) || (uint)seen == 0) return;
            if (Interlocked.CompareExchange(ref *gate, seen - 1, seen) == seen) return;
        }
    }

    /// <summary>True while a call is inside the kernel.</summary>
    public static bool IsBusy(ulong* gate) => (uint)Volatile.Read(ref *gate) != 0;

    /// <summary>Closes the gate for a switch if nobody is inside. Caller holds the direction's lock.</summary>
    public static bool TryClose(ulong* gate) => Interlocked.CompareExchange(ref *gate, (ulong)DirectionPhase.Switching << 32, 0) == 0;

    /// <summary>From Back to Kernel if nobody is inside: the direction may leave the kernel once more. Caller holds the direction's lock.</summary>
    public static bool TryReopen(ulong* gate) => Interlocked.CompareExchange(ref *gate, (ulong)DirectionPhase.Kernel << 32, (ulong)DirectionPhase.Back << 32) == (ulong)DirectionPhase.Back << 32;

    /// <summary>Sets the phase after <see cref="TryClose"/> succeeded, or in a later phase, where nobody is counted but in Back; who is inside there stays counted.</summary>
    public static void Set(ulong* gate, DirectionPhase phase)
    {
        if (phase != DirectionPhase.Back || Phase(gate) != DirectionPhase.Back) Volatile.Write(ref *gate, (ulong)phase << 32);
    }
}
