using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <summary>poll(2) over a mixture of rings and kernel descriptors; select(2) is turned into it.</summary>
internal static unsafe class Poller
{
    private const uint KernelEveryRounds = 16;
    private const int OnStack = 384;

    private static uint _rounds;

    /// <summary>
    /// As ppoll(2) with a relative time in nanoseconds; the count, or a negative errno. Remaining time is not reported. With <paramref name="select"/> a number that is no
    /// descriptor when the call begins is EBADF; one that another thread closes later is POLLNVAL, as in poll(2).
    /// </summary>
    public static int Poll(PollDescriptor* descriptors, nuint count, ulong nanoseconds, ulong* mask, bool select = false)
    {
        Session.Look();
        while (true)
        {
            nuint rings = 0;
            bool tracked = false;
            for (nuint i = 0; i < count; i++)
            {
                EpollInstance* whole = EpollWhole.Of(descriptors[i].Descriptor);
                if (whole != null) EpollWhole.Watch(whole);
                if (whole != null || PolledRings.Ring(descriptors[i].Descriptor) != null) rings++;
                else if (PolledRings.Ringless(descriptors[i].Descriptor) != null) tracked = true;
            }
            bool plain = rings == 0 && (nanoseconds == 0 || !(tracked || SendReturn.IsDue));
            if (rings == 0 && select)
            {
                int first = PolledKernel.Check(descriptors, count, nanoseconds == 0 ? mask : null);
                if (first != 0 || nanoseconds == 0) return first;
                select = false;
            }
            int result = plain ? Sleep.PollNow(descriptors, count, nanoseconds, mask) : WithScratch(descriptors, count, rings, nanoseconds, mask, select);
            if (result != Again) return result;
        }
    }

    /// <summary>A connection of the set has just been taken up by another thread: look at the set anew.</summary>
    private const int Again = int.MinValue;

    private static int WithScratch(PollDescriptor* descriptors, nuint count, nuint rings, ulong nanoseconds, ulong* mask, bool select)
    {
        // The entries, their doorbells behind them without gaps (RLIMIT_NOFILE bounds what poll(2) takes), whose doorbells they are, and whose gates are held.
        nuint total = 4 * count;
        PollDescriptor* onStack = stackalloc PollDescriptor[OnStack];
        PollDescriptor* scratch = total <= OnStack ? onStack : (PollDescriptor*)Process.Reserve(total * (nuint)sizeof(PollDescriptor));
        if (scratch == null) return -Linux.ENOMEM;
        uint* held = (uint*)(scratch + (3 * count));
        int result = rings == 0 ? Plain(descriptors, count, held, nanoseconds, mask) : Mixed(descriptors, count, rings, scratch, held, nanoseconds, mask, select);
        if (total > OnStack) Process.Libc->munmap(scratch, total * (nuint)sizeof(PollDescriptor));
        return result;
    }

    /// <summary>No ring in the set. Tracked connections are held in the kernel meanwhile: this call would not hear their doorbell.</summary>
    private static int Plain(PollDescriptor* descriptors, nuint count, uint* held, ulong nanoseconds, ulong* mask)
    {
        if (!PolledGates.Hold(descriptors, count, held, all: true)) return Again;
        ulong deadline = Sleep.Deadline(nanoseconds), left = nanoseconds;
        int result;
        do
        {
            // A return goes on meanwhile.
            ulong limited = SendReturn.Limit(left);
            result = Sleep.PollNow(descriptors, count, limited, mask);
            if (limited == left) break;
            left = Sleep.Left(deadline);
        }
        while (result == 0 && left != 0);
        PolledGates.Leave(count, held);
        return result;
    }

    private static int Mixed(PollDescriptor* descriptors, nuint count, nuint rings, PollDescriptor* scratch, uint* held, ulong nanoseconds, ulong* mask, bool select)
    {
        ThreadRecord* thread = Process.Thread();
        uint signals = thread->SignalsHandled;
        int ready = PolledRings.Look(descriptors, count);
        if (ready > 0) Session.GlanceSometimes();
        if (ready > 0 && rings == count && PolledRings.OnlyBytesMatter(descriptors, count) && ++_rounds % KernelEveryRounds != 0) return ready;
        // Spinning would keep a signal waiting that the mask lets in.
        if (ready > 0 || nanoseconds == 0 || mask != null)
        {
            ready = PolledKernel.Ask(descriptors, count, scratch, 0, mask, signals, select: select);
            if (ready != 0 || nanoseconds == 0) return ready;
            select = false;
        }

        ulong deadline = Sleep.Deadline(nanoseconds);
        Spinner spinner = new(thread);
        while (spinner.Continue())
        {
            if (PolledRings.Look(descriptors, count) > 0) { spinner.Adapt(); return PolledKernel.Ask(descriptors, count, scratch, 0, mask, signals, select: select); }
            if (rings != count && spinner.KernelIsDue)
            {
                ready = PolledKernel.Ask(descriptors, count, scratch, 0, mask, signals, select: select);
                if (ready != 0) { spinner.Adapt(); return ready; }
                select = false;
            }
            if (thread->SignalsHandled != signals) break;
        }
        // What is known to be a connection was one when the call began.
        if (select && rings != count)
        {
            ready = PolledKernel.Ask(descriptors, count, scratch, 0, mask, signals, select: true);
            if (ready != 0) { spinner.Adapt(); return ready; }
        }
        while (true)
        {
            if (!PolledGates.Hold(descriptors, count, held, all: false)) return Again;
            Interlocked.Increment(ref Registrations.WholeSleepers);
            PollDescriptor* doorbells = scratch + count;
            BellOwner* owners = (BellOwner*)(scratch + (2 * count));
            nuint owned = PolledBells.CountIn(descriptors, count, held, doorbells, owners, out nuint bells);
            bool waitsForRoom = PolledRings.Arm(descriptors, count);
            ulong left = PolledRings.Look(descriptors, count) > 0 ? 0 : Sleep.Left(deadline);
            if (left != 0) Session.Glance();
            ulong limited = Trimmer.Limit(left), most = waitsForRoom && limited > BufferSizes.LookNanoseconds ? BufferSizes.LookNanoseconds : limited;
            ready = PolledKernel.Ask(descriptors, count, scratch, most, mask, signals, bells, counted: true);
            PolledBells.CountOut(owned, doorbells, owners);
            PolledGates.Leave(count, held);
            if (bells > 0 && ready == 0 && PolledRings.Look(descriptors, count) > 0) continue;
            if (ready == 0 && most == limited) Trimmer.AfterSleep();
            if (ready != 0 || Sleep.Left(deadline) == 0)
            {
                spinner.Adapt();
                return ready;
            }
        }
    }
}
