using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <summary>The kernel's part of a poll(2), merged with what the rings say.</summary>
internal static unsafe class PolledKernel
{
    /// <summary>
    /// The kernel's part, sleeping at most <paramref name="left"/> on <paramref name="bells"/> doorbells too, merged with what the rings say afterwards; the count, or a
    /// negative errno. With <paramref name="select"/> a number that is no descriptor is EBADF.
    /// </summary>
    public static int Ask(PollDescriptor* descriptors, nuint count, PollDescriptor* scratch, ulong left, ulong* mask, uint signals, nuint bells = 0, bool counted = false, bool select = false)
    {
        for (nuint i = 0; i < count; i++)
        {
            scratch[i] = descriptors[i];
            ConnectionRecord* record = PolledRings.Ring(descriptors[i].Descriptor);
            if (record == null || !SendReturn.HidesKernelRoom(record)) continue;
            scratch[i].Events &= unchecked((short)~PolledRings.OutputBits);
            if ((descriptors[i].Events & PolledRings.OutputBits) != 0 && (record->Flags & (uint)ConnectionFlags.PeerFinished) == 0) scratch[i].Events |= Linux.POLLRDHUP;
        }
        int result = left == 0 ? AskNow(descriptors, count, scratch, mask) : Sleep.Poll(scratch, count + bells, left, mask, signals);
        if (counted) Interlocked.Decrement(ref Registrations.WholeSleepers);
        if (result < 0) return result;
        if (select && AnyInvalid(scratch, count)) return -Linux.EBADF;

        int ready = PolledRings.Look(descriptors, count);
        for (nuint i = 0; i < count; i++)
        {
            short kernel = scratch[i].Returned;
            if (kernel == 0) continue;
            ConnectionRecord* record = PolledRings.Ring(descriptors[i].Descriptor);
            if (record != null)
            {
                kernel = (short)MirroredLook.Filter(descriptors[i].Descriptor, record, (ushort)kernel);
                bool hidden = SendReturn.HidesKernelRoom(record);
                NoteKernel(record, kernel);
                // The direction has just gone back: the kernel was not asked for its room before, and a reset may have been found out.
                if (hidden && !SendReturn.HidesKernelRoom(record)) kernel |= AfterReturn(descriptors[i], record);
            }
            EpollInstance* whole = record == null ? EpollWhole.Of(descriptors[i].Descriptor) : null;
            if (whole != null && !EpollWhole.Examine(whole, out _)) kernel &= unchecked((short)~PolledRings.InputBits);
            short bits = (short)(kernel & (descriptors[i].Events | Linux.POLLERR | Linux.POLLHUP | Linux.POLLNVAL));
            if (bits == 0) continue;
            if (descriptors[i].Returned == 0) ready++;
            descriptors[i].Returned |= bits;
        }
        // What the kernel has found was the shim's own, and has kept a signal out that the mask lets in.
        return ready == 0 && result > 0 && left == 0 && mask != null && Sleep.LetsSignalIn(mask) ? -Linux.EINTR : ready;
    }

    /// <summary>
    /// Without sleeping. A signal that <paramref name="mask"/> lets in interrupts the call as it would a longer one, but only if there is nothing to report (ppoll(2)).
    /// </summary>
    private static int AskNow(PollDescriptor* descriptors, nuint count, PollDescriptor* scratch, ulong* mask)
    {
        int result = mask == null || PolledRings.Look(descriptors, count) > 0 ? (int)Process.FromLibc(Process.Libc->poll(scratch, count, 0)) : Sleep.PollNow(scratch, count, 0, mask);
        if (result != -Linux.EINTR || PolledRings.Look(descriptors, count) == 0) return result;
        for (nuint i = 0; i < count; i++) scratch[i].Returned = 0;
        return 0;
    }

    /// <summary>For select(2), without a ring in the set: what there is now, or EBADF.</summary>
    public static int Check(PollDescriptor* descriptors, nuint count, ulong* mask)
    {
        int result = Sleep.PollNow(descriptors, count, 0, mask);
        return result > 0 && AnyInvalid(descriptors, count) ? -Linux.EBADF : result;
    }

    private static bool AnyInvalid(PollDescriptor* descriptors, nuint count)
    {
        for (nuint i = 0; i < count; i++) if ((descriptors[i].Returned & Linux.POLLNVAL) != 0) return true;
        return false;
    }

    private static short AfterReturn(PollDescriptor look, ConnectionRecord* record)
    {
        if (Process.Libc->poll(&look, 1, 0) <= 0) look.Returned = 0;
        return record->PendingError != 0 ? (short)(look.Returned | Linux.POLLERR) : look.Returned;
    }

    private static void NoteKernel(ConnectionRecord* record, short kernel)
    {
        if ((kernel & (Linux.POLLIN | Linux.POLLRDHUP | Linux.POLLERR | Linux.POLLHUP)) != 0) Volatile.Write(ref record->KernelAttention, 1);
        if ((kernel & (Linux.POLLRDHUP | Linux.POLLERR | Linux.POLLHUP)) == 0) return;
        Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.PeerFinished);
        if (Volatile.Read(ref record->SendBlocked) != 0) Sender.GoBack(record, Contract.Reason.PeerClosed);
    }
}
