using System.Numerics;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Readiness;

/// <summary>
/// Whose turn it is where the application takes fewer events than there are. The kernel reports its ready list in turn and the hot registrations have theirs; once all
/// that is hot has had its turn, the next waits begin with the kernel, until its list has come round.
/// </summary>
internal static unsafe class EpollTurns
{
    private const int Rings = 0, KernelNext = 1, KernelGoesOn = 2;
    private const uint KernelEveryRounds = 16;
    private const int LongestTurn = 1 << 14;

    /// <summary>True if a wait is to begin with the kernel.</summary>
    public static bool IsKernels(EpollInstance* instance) => instance->Turn != Rings;

    /// <summary>Rings have filled all the room. The kernel is asked at once if it had something the last time, or else now and then. Caller holds the lock.</summary>
    public static void RingsFilled(EpollInstance* instance)
    {
        if (instance->HotCameRound == 0) return;
        instance->HotCameRound = 0;
        if (instance->KernelAsked == 0 || instance->Round % KernelEveryRounds == 0) instance->Turn = KernelNext;
    }

    /// <summary>The kernel has given <paramref name="received"/> events into the <paramref name="room"/> there was. Caller holds the lock.</summary>
    public static void KernelAnswered(EpollInstance* instance, EpollEvent* from, int received, int room)
    {
        if (received == room) EpollReport.AskAgain(instance);
        else instance->Turn = Rings;
        for (int i = 0; i < received && instance->Turn != Rings; i++)
        {
            if (instance->Turn == KernelNext)
            {
                instance->Turn = KernelGoesOn;
                instance->TurnLength = 0;
            }
            else if (from[i].Data == instance->TurnMark) instance->Turn = Rings;
            // Brent's way to find that a sequence repeats, whatever it began with: the mark moves on at powers of two.
            if (BitOperations.IsPow2(++instance->TurnLength)) instance->TurnMark = from[i].Data;
            if (instance->TurnLength == LongestTurn) instance->Turn = Rings;
        }
    }
}
