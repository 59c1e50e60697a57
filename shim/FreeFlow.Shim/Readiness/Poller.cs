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
    private const int OnStack = 256;
    private const short InputBits = Linux.POLLIN | Linux.POLLRDNORM;
    private const short OutputBits = Linux.POLLOUT | Linux.POLLWRNORM;

    private static uint _rounds;

    /// <summary>As ppoll(2) with a relative time in nanoseconds; the count, or a negative errno. Remaining time is not reported.</summary>
    public static int Poll(PollDescriptor* descriptors, nuint count, ulong nanoseconds, ulong* mask)
    {
        Session.Look();
        nuint rings = 0;
        for (nuint i = 0; i < count; i++) if (Ring(descriptors[i].Descriptor) != null) rings++;
        if (rings == 0) return Plain(descriptors, count, nanoseconds, mask);

        // Every entry and, at the same distance, its doorbell; poll(2) passes over those that have none.
        nuint total = 2 * count;
        PollDescriptor* onStack = stackalloc PollDescriptor[OnStack];
        PollDescriptor* scratch = total <= OnStack ? onStack : (PollDescriptor*)Process.Reserve(total * (nuint)sizeof(PollDescriptor));
        if (scratch == null) return -Linux.ENOMEM;
        int result = Mixed(descriptors, count, rings, scratch, nanoseconds, mask);
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
        return record == null || Volatile.Read(ref record->RingAddress) == 0 ? null : record;
    }

    /// <summary>No ring in the set. Tracked connections are held in the kernel meanwhile: this call would not hear their doorbell.</summary>
    private static int Plain(PollDescriptor* descriptors, nuint count, ulong nanoseconds, ulong* mask)
    {
        if (nanoseconds == 0) return Sleep.PollNow(descriptors, count, 0, mask);
        HoldGates(descriptors, count, true);
        int result = Sleep.PollNow(descriptors, count, nanoseconds, mask);
        HoldGates(descriptors, count, false);
        return result;
    }

    /// <summary>Enters or leaves the receive gates of the set's connections.</summary>
    private static void HoldGates(PollDescriptor* descriptors, nuint count, bool enter)
    {
        for (nuint i = 0; i < count; i++)
        {
            int fd = descriptors[i].Descriptor;
            if ((uint)fd >= DescriptorFlags.Capacity || (Process.Flags[fd] & DescriptorFlags.Connection) == 0) continue;
            ConnectionRecord* record = Connections.Find(fd);
            if (record == null) continue;
            if (enter) Gate.Enter(&record->ReceiveGate, &record->ReceiveLock);
            else Gate.LeaveIfEntered(&record->ReceiveGate);
        }
    }

    private static int Mixed(PollDescriptor* descriptors, nuint count, nuint rings, PollDescriptor* scratch, ulong nanoseconds, ulong* mask)
    {
        ThreadRecord* thread = Process.Thread();
        uint signals = thread->SignalsHandled;
        int ready = LookAtRings(descriptors, count);
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
            CountIn(descriptors, count, scratch + count);
            Arm(descriptors, count);
            ulong left = LookAtRings(descriptors, count) > 0 ? 0 : Sleep.Left(deadline);
            if (left != 0) Session.Glance();
            ulong limited = Trimmer.Limit(left);
            ready = AskKernel(descriptors, count, scratch, limited, mask, signals, asleep: true);
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
            if (record == null) continue;
            short events = descriptors[i].Events, bits = 0;
            if ((events & InputBits) != 0 && RingReadiness.IsReadable(record, Block.Incoming(record))) bits |= InputBits;
            if ((events & OutputBits) != 0 && Gate.Phase(&record->SendGate) == DirectionPhase.Ring && RingReadiness.HasRoom(record, Block.Outgoing(record))) bits |= OutputBits;
            bits &= events;
            descriptors[i].Returned = bits;
            if (bits != 0) ready++;
        }
        return ready;
    }

    /// <summary>Counts this thread among the sleepers of every ring in the set, and notes the doorbells it will sleep on.</summary>
    private static void CountIn(PollDescriptor* descriptors, nuint count, PollDescriptor* bells)
    {
        for (nuint i = 0; i < count; i++)
        {
            ConnectionRecord* record = Ring(descriptors[i].Descriptor);
            bells[i] = new PollDescriptor { Descriptor = record == null ? -1 : record->OwnDoorbell, Events = Linux.POLLIN };
            if (record != null) Interlocked.Increment(ref record->Sleepers);
        }
    }

    /// <summary>The opposite; doorbells that rang are emptied.</summary>
    private static void CountOut(PollDescriptor* descriptors, nuint count, PollDescriptor* bells)
    {
        for (nuint i = 0; i < count; i++)
        {
            ConnectionRecord* record = bells[i].Descriptor < 0 ? null : Ring(descriptors[i].Descriptor);
            if (record == null || record->OwnDoorbell != bells[i].Descriptor) continue;
            Interlocked.Decrement(ref record->Sleepers);
            if (bells[i].Returned == 0) continue;
            Doorbell.Drain(record);
            Handover.AnswerRequest(record);
            Registrations.Heat(record);
        }
    }

    private static void Arm(PollDescriptor* descriptors, nuint count)
    {
        for (nuint i = 0; i < count; i++)
        {
            ConnectionRecord* record = Ring(descriptors[i].Descriptor);
            if (record == null) continue;
            RingBlockHeader* outgoing = Block.Outgoing(record);
            if ((descriptors[i].Events & InputBits) != 0) Doorbell.ArmReader(Block.Incoming(record));
            if ((descriptors[i].Events & OutputBits) != 0 && !RingReadiness.HasRoom(record, outgoing)) Doorbell.ArmWriter(outgoing);
        }
    }

    /// <summary>The kernel's part, sleeping at most <paramref name="left"/> (the caller has counted itself among the sleepers then), merged with what the rings say afterwards; the count, or a negative errno.</summary>
    private static int AskKernel(PollDescriptor* descriptors, nuint count, PollDescriptor* scratch, ulong left, ulong* mask, uint signals, bool asleep = false)
    {
        for (nuint i = 0; i < count; i++)
        {
            scratch[i] = descriptors[i];
            ConnectionRecord* record = Ring(descriptors[i].Descriptor);
            if (record == null || Gate.Phase(&record->SendGate) != DirectionPhase.Ring) continue;
            scratch[i].Events &= unchecked((short)~OutputBits);
            if ((descriptors[i].Events & OutputBits) != 0 && (record->Flags & (uint)ConnectionFlags.PeerFinished) == 0) scratch[i].Events |= Linux.POLLRDHUP;
        }
        int result = left == 0
            ? (int)Process.FromLibc(Process.Libc->poll(scratch, count, 0))
            : Sleep.Poll(scratch, 2 * count, left, mask, signals);
        if (asleep) CountOut(descriptors, count, scratch + count);
        if (result < 0) return result;

        int ready = LookAtRings(descriptors, count);
        for (nuint i = 0; i < count; i++)
        {
            short kernel = scratch[i].Returned;
            if (kernel == 0) continue;
            ConnectionRecord* record = Ring(descriptors[i].Descriptor);
            if (record != null) NoteKernel(record, kernel);
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
