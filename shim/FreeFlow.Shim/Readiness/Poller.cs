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
    private const short InputBits = Linux.POLLIN | Linux.POLLRDNORM;
    private const short OutputBits = Linux.POLLOUT | Linux.POLLWRNORM;

    private static uint _rounds;

    /// <summary>As ppoll(2) with a relative time in nanoseconds; the count, or a negative errno. Remaining time is not reported.</summary>
    public static int Poll(PollDescriptor* descriptors, nuint count, ulong nanoseconds, ulong* mask)
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
                if (whole != null || Ring(descriptors[i].Descriptor) != null) rings++;
                else if (Ringless(descriptors[i].Descriptor) != null) tracked = true;
            }
            bool plain = rings == 0 && (nanoseconds == 0 || !(tracked || SendReturn.IsDue));
            int result = plain ? Sleep.PollNow(descriptors, count, nanoseconds, mask) : WithScratch(descriptors, count, rings, nanoseconds, mask);
            if (result != Again) return result;
        }
    }

    /// <summary>A connection of the set has just been taken up by another thread: look at the set anew.</summary>
    private const int Again = int.MinValue;

    private static int WithScratch(PollDescriptor* descriptors, nuint count, nuint rings, ulong nanoseconds, ulong* mask)
    {
        // The entries, their doorbells behind them without gaps (RLIMIT_NOFILE bounds what poll(2) takes), whose doorbells they are, and whose gates are held.
        nuint total = 4 * count;
        PollDescriptor* onStack = stackalloc PollDescriptor[OnStack];
        PollDescriptor* scratch = total <= OnStack ? onStack : (PollDescriptor*)Process.Reserve(total * (nuint)sizeof(PollDescriptor));
        if (scratch == null) return -Linux.ENOMEM;
        uint* held = (uint*)(scratch + (3 * count));
        int result = rings == 0 ? Plain(descriptors, count, held, nanoseconds, mask) : Mixed(descriptors, count, rings, scratch, held, nanoseconds, mask);
        if (total > OnStack) Process.Libc->munmap(scratch, total * (nuint)sizeof(PollDescriptor));
        return result;
    }

    /// <summary>True if the kernel can have nothing to add to what the rings say: only input is asked for, and nobody has hinted at an end.</summary>
    private static bool OnlyBytesMatter(PollDescriptor* descriptors, nuint count)
    {
        for (nuint i = 0; i < count; i++)
        {
            ConnectionRecord* record = Ring(descriptors[i].Descriptor);
            if (record == null || (descriptors[i].Events & ~InputBits) != 0) return false;
            if ((record->Flags & (uint)ConnectionFlags.PeerFinished) != 0
                || (Volatile.Read(ref record->KernelAttention) | Volatile.Read(ref Block.Incoming(record)->WriterClosed)) != 0) return false;
        }
        return true;
    }

    private static ConnectionRecord* Ring(int fd)
    {
        if ((uint)fd >= DescriptorFlags.Capacity || (Process.Flags[fd] & DescriptorFlags.Connection) == 0) return null;
        ConnectionRecord* record = Connections.Find(fd);
        return record == null || IsPlain(record) ? null : record;
    }

    /// <summary>A tracked connection without a ring, or null.</summary>
    private static ConnectionRecord* Ringless(int fd)
    {
        ConnectionRecord* record = Connections.Find(fd);
        return record == null || !IsPlain(record) ? null : record;
    }

    /// <summary>No ring, or one that is given up, with nothing of it left to come.</summary>
    private static bool IsPlain(ConnectionRecord* record) =>
        Volatile.Read(ref record->RingAddress) == 0 || (Reattachment.IsDetached(record) && Gate.Phase(&record->ReceiveGate) == DirectionPhase.Kernel);

    /// <summary>No ring in the set. Tracked connections are held in the kernel meanwhile: this call would not hear their doorbell.</summary>
    private static int Plain(PollDescriptor* descriptors, nuint count, uint* held, ulong nanoseconds, ulong* mask)
    {
        if (!HoldGates(descriptors, count, held, all: true)) return Again;
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
        LeaveGates(count, held);
        return result;
    }

    /// <summary>
    /// Keeps the set's ringless connections in the kernel meanwhile, whose doorbells this call would not hear, and notes them: a ring may come, or the
    /// descriptor go, while the gate is held. False, with nothing held, if one of them is being taken up; with <paramref name="all"/> also if one has a ring by now.
    /// </summary>
    private static bool HoldGates(PollDescriptor* descriptors, nuint count, uint* held, bool all)
    {
        for (nuint i = 0; i < count; i++)
        {
            ConnectionRecord* record = Ringless(descriptors[i].Descriptor);
            bool entered = record != null && Gate.Enter(&record->ReceiveGate, &record->ReceiveLock);
            held[i] = entered ? Connections.IndexOf(record) + 1 : 0;
            bool late = all && record == null && Ring(descriptors[i].Descriptor) != null;
            if (!late && (record == null || entered || Gate.Phase(&record->ReceiveGate) == DirectionPhase.Back)) continue;
            LeaveGates(i, held);
            return false;
        }
        return true;
    }

    private static void LeaveGates(nuint count, uint* held)
    {
        for (nuint i = 0; i < count; i++) if (held[i] != 0) Gate.Leave(&Family.Records[held[i] - 1].ReceiveGate);
    }

    private static int Mixed(PollDescriptor* descriptors, nuint count, nuint rings, PollDescriptor* scratch, uint* held, ulong nanoseconds, ulong* mask)
    {
        ThreadRecord* thread = Process.Thread();
        uint signals = thread->SignalsHandled;
        int ready = LookAtRings(descriptors, count);
        if (ready > 0) Session.GlanceSometimes();
        if (ready > 0 && rings == count && OnlyBytesMatter(descriptors, count) && ++_rounds % KernelEveryRounds != 0) return ready;
        if (ready > 0 || nanoseconds == 0) return AskKernel(descriptors, count, scratch, 0, mask, signals);

        ulong deadline = Sleep.Deadline(nanoseconds);
        Spinner spinner = new(thread);
        while (spinner.Continue())
        {
            if (LookAtRings(descriptors, count) > 0) { spinner.Adapt(); return AskKernel(descriptors, count, scratch, 0, mask, signals); }
            if (rings != count && spinner.KernelIsDue)
            {
                ready = AskKernel(descriptors, count, scratch, 0, mask, signals);
                if (ready != 0) { spinner.Adapt(); return ready; }
            }
            if (thread->SignalsHandled != signals) break;
        }
        while (true)
        {
            if (!HoldGates(descriptors, count, held, all: false)) return Again;
            Interlocked.Increment(ref Registrations.WholeSleepers);
            PollDescriptor* doorbells = scratch + count;
            BellOwner* owners = (BellOwner*)(scratch + (2 * count));
            nuint owned = CountIn(descriptors, count, held, doorbells, owners, out nuint bells);
            Arm(descriptors, count);
            ulong left = LookAtRings(descriptors, count) > 0 ? 0 : Sleep.Left(deadline);
            if (left != 0) Session.Glance();
            ulong limited = Trimmer.Limit(left);
            ready = AskKernel(descriptors, count, scratch, limited, mask, signals, bells, counted: true);
            CountOut(owned, doorbells, owners);
            LeaveGates(count, held);
            if (bells > 0 && ready == 0 && LookAtRings(descriptors, count) > 0) continue;
            if (ready == 0) Trimmer.AfterSleep();
            if (ready != 0 || Sleep.Left(deadline) == 0)
            {
                spinner.Adapt();
                return ready;
            }
        }
    }

    /// <summary>Sets Returned of every entry to what its ring says (0 for others); the number that is not 0.</summary>
    private static int LookAtRings(PollDescriptor* descriptors, nuint count)
    {
        int ready = 0;
        for (nuint i = 0; i < count; i++)
        {
            descriptors[i].Returned = 0;
            ConnectionRecord* record = Ring(descriptors[i].Descriptor);
            if (record == null)
            {
                EpollInstance* whole = EpollWhole.Of(descriptors[i].Descriptor);
                if (whole == null || (descriptors[i].Events & InputBits) == 0 || !EpollWhole.HasReadyRing(whole)) continue;
                descriptors[i].Returned = (short)(descriptors[i].Events & InputBits);
                ready++;
                continue;
            }
            short events = descriptors[i].Events, bits = 0;
            if ((events & InputBits) != 0 && RingReadiness.IsReadable(record, Block.Incoming(record))) bits |= InputBits;
            if ((events & OutputBits) != 0 && Gate.Phase(&record->SendGate) == DirectionPhase.Ring && RingReadiness.HasRoom(record, Block.Outgoing(record))) bits |= OutputBits;
            bits &= events;
            if (record->PendingError != 0) bits |= Linux.POLLERR;
            descriptors[i].Returned = bits;
            if (bits != 0) ready++;
        }
        return ready;
    }

    /// <summary>A connection of the set, and which of the doorbells behind the set is its.</summary>
    private struct BellOwner { public uint Connection; public uint Bell; }

    /// <summary>Connections that share a doorbell are mostly neighbours; poll(2) refuses more entries than there can be descriptors.</summary>
    private const nuint Neighbours = 16;

    /// <summary>Counts this thread among the sleepers of the set's rings, and notes whose doorbells are where; returns how many connections.</summary>
    private static nuint CountIn(PollDescriptor* descriptors, nuint count, uint* held, PollDescriptor* bells, BellOwner* owners, out nuint used)
    {
        nuint owned = 0;
        used = 0;
        for (nuint i = 0; i < count; i++)
        {
            // Whatever has, or has had, a ring and is not held in the kernel: it may get another one at any moment.
            ConnectionRecord* record = held[i] == 0 ? Connections.Find(descriptors[i].Descriptor) : null;
            if (record == null || Volatile.Read(ref record->RingAddress) == 0) continue;
            Doorbell.CountIn(record);
            int doorbell = Doorbell.ToSleepOn(record);
            nuint bell = used;
            for (nuint back = 1; back <= Neighbours && back <= used && bell == used; back++) if (bells[used - back].Descriptor == doorbell) bell = used - back;
            if (bell == used) bells[used++] = new PollDescriptor { Descriptor = doorbell, Events = Linux.POLLIN };
            owners[owned++] = new BellOwner { Connection = Connections.IndexOf(record), Bell = (uint)bell };
        }
        return owned;
    }

    /// <summary>The opposite; doorbells that rang are emptied.</summary>
    private static void CountOut(nuint count, PollDescriptor* bells, BellOwner* owners)
    {
        // All before the first is emptied: some may share a doorbell.
        for (nuint i = 0; i < count; i++)
        {
            ConnectionRecord* record = Family.Records + owners[i].Connection;
            if (record->DoorbellState != 0) Interlocked.Decrement(ref *Doorbell.Sleepers(record));
        }
        for (nuint i = 0; i < count; i++)
        {
            ConnectionRecord* record = Family.Records + owners[i].Connection;
            PollDescriptor* bell = bells + owners[i].Bell;
            if (bell->Returned == 0 || record->Doorbell != bell->Descriptor) continue;
            _ = Doorbell.Drain(record, bell->Returned);
            Recall.AnswerAtOnce(record);
            Registrations.HeatMates(record);
        }
    }

    private static void Arm(PollDescriptor* descriptors, nuint count)
    {
        for (nuint i = 0; i < count; i++)
        {
            ConnectionRecord* record = Ring(descriptors[i].Descriptor);
            EpollInstance* whole = record == null ? EpollWhole.Of(descriptors[i].Descriptor) : null;
            if (whole != null) _ = EpollArming.Arm(whole);
            if (record == null) continue;
            RingBlockHeader* outgoing = Block.Outgoing(record);
            if ((descriptors[i].Events & InputBits) != 0) Doorbell.ArmReader(Block.Incoming(record));
            if ((descriptors[i].Events & OutputBits) != 0 && !RingReadiness.HasRoom(record, outgoing)) Doorbell.ArmWriter(outgoing);
        }
    }

    /// <summary>The kernel's part, sleeping at most <paramref name="left"/> on <paramref name="bells"/> doorbells too, merged with what the rings say afterwards; the count, or a negative errno.</summary>
    private static int AskKernel(PollDescriptor* descriptors, nuint count, PollDescriptor* scratch, ulong left, ulong* mask, uint signals, nuint bells = 0, bool counted = false)
    {
        for (nuint i = 0; i < count; i++)
        {
            scratch[i] = descriptors[i];
            ConnectionRecord* record = Ring(descriptors[i].Descriptor);
            if (record == null || !SendReturn.HidesKernelRoom(record)) continue;
            scratch[i].Events &= unchecked((short)~OutputBits);
            if ((descriptors[i].Events & OutputBits) != 0 && (record->Flags & (uint)ConnectionFlags.PeerFinished) == 0) scratch[i].Events |= Linux.POLLRDHUP;
        }
        int result = left == 0
            ? (int)Process.FromLibc(Process.Libc->poll(scratch, count, 0))
            : Sleep.Poll(scratch, count + bells, left, mask, signals);
        if (counted) Interlocked.Decrement(ref Registrations.WholeSleepers);
        if (result < 0) return result;

        int ready = LookAtRings(descriptors, count);
        for (nuint i = 0; i < count; i++)
        {
            short kernel = scratch[i].Returned;
            if (kernel == 0) continue;
            ConnectionRecord* record = Ring(descriptors[i].Descriptor);
            if (record != null)
            {
                kernel = (short)MirroredLook.Filter(descriptors[i].Descriptor, record, (ushort)kernel);
                NoteKernel(record, kernel);
            }
            EpollInstance* whole = record == null ? EpollWhole.Of(descriptors[i].Descriptor) : null;
            if (whole != null && !EpollWhole.Examine(whole, out _)) kernel &= unchecked((short)~InputBits);
            short bits = (short)(kernel & (descriptors[i].Events | Linux.POLLERR | Linux.POLLHUP | Linux.POLLNVAL));
            if (bits == 0) continue;
            if (descriptors[i].Returned == 0) ready++;
            descriptors[i].Returned |= bits;
        }
        return ready;
    }

    private static void NoteKernel(ConnectionRecord* record, short kernel)
    {
        if ((kernel & (Linux.POLLIN | Linux.POLLRDHUP | Linux.POLLERR | Linux.POLLHUP)) != 0) Volatile.Write(ref record->KernelAttention, 1);
        if ((kernel & (Linux.POLLRDHUP | Linux.POLLERR | Linux.POLLHUP)) == 0) return;
        Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.PeerFinished);
        if (Volatile.Read(ref record->SendBlocked) != 0) Sender.GoBack(record, Contract.Reason.PeerClosed);
    }
}
