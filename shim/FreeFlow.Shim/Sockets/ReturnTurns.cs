using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// A sender's return and the router that stands in for it (docs/fabric.md) take turns by the word <c>Returner</c>, as <c>shim/models/standin.pml</c> and
/// <c>localreturn.pml</c> have it. Callers hold SendLock.
/// </summary>
internal static unsafe class ReturnTurns
{
    /// <summary>A router that stands in gives the kernel what it takes without waiting: this is a router that was killed or stopped in the midst of it.</summary>
    private const ulong RouterNanoseconds = 10_000_000_000;

    /// <summary>Where the peer can write the word, too, it may be no router at all: the first that lets this process wait for nothing has a second, the others of the next minute have moments.</summary>
    private const ulong SharedNanoseconds = 1_000_000_000, WaryNanoseconds = 20_000_000, WaryForNanoseconds = 60_000_000_000;

    private static ulong s_waryUntil;

    /// <summary>
    /// Keeps the router from standing in; caller holds SendLock. It holds the return itself for moments only. One that has died in such a moment leaves nobody to say what the kernel
    /// has got: both ends are told, rather than that bytes may come twice.
    /// </summary>
    public static ReturnerState Take(ConnectionRecord* record, RingBlockHeader* outgoing, int fd)
    {
        ulong start = Process.Now(), patience = ReturnMark.IsMirrored(record) ? RouterNanoseconds : Shared(start);
        while (true)
        {
            uint before = Volatile.Read(ref outgoing->Returner);
            // Who held it before, and SendLock, was killed.
            if (before != (uint)ReturnerState.Router && Interlocked.CompareExchange(ref outgoing->Returner, (uint)ReturnerState.Writer, before) == before) return (ReturnerState)before;
            if (before != (uint)ReturnerState.Router) continue;
            if (Process.Now() - start < patience) { Process.Libc->poll(null, 0, 1); continue; }
            Process.Libc->shutdown(fd < 0 ? Connections.Local[Connections.IndexOf(record)].FirstDescriptor - 1 : fd, Linux.SHUT_RDWR);
            Interlocked.CompareExchange(ref outgoing->Returner, (uint)ReturnerState.Paused, (uint)ReturnerState.Router);
            if (!ReturnMark.IsMirrored(record)) Volatile.Write(ref s_waryUntil, Process.Now() + WaryForNanoseconds);
        }
    }

    private static ulong Shared(ulong now) => now < Volatile.Read(ref s_waryUntil) ? WaryNanoseconds : SharedNanoseconds;

    public static void End(RingBlockHeader* outgoing, bool done) => Volatile.Write(ref outgoing->Returner, (uint)(done ? ReturnerState.Done : ReturnerState.Paused));
}
