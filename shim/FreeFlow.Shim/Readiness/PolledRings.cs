using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <summary>What the rings among the entries of a poll(2) say.</summary>
internal static unsafe class PolledRings
{
    /// <summary>What a ring can say.</summary>
    public const short InputBits = Linux.POLLIN | Linux.POLLRDNORM;
    public const short OutputBits = Linux.POLLOUT | Linux.POLLWRNORM;

    /// <summary>A connection with a ring, or null.</summary>
    public static ConnectionRecord* Ring(int fd)
    {
        if ((uint)fd >= DescriptorFlags.Capacity || (Process.Flags[fd] & DescriptorFlags.Connection) == 0) return null;
        ConnectionRecord* record = Connections.Find(fd);
        return record == null || IsPlain(record) ? null : record;
    }

    /// <summary>A tracked connection without a ring, or null.</summary>
    public static ConnectionRecord* Ringless(int fd)
    {
        ConnectionRecord* record = Connections.Find(fd);
        return record == null || !IsPlain(record) ? null : record;
    }

    /// <summary>No ring, or one that is given up, with nothing of it left to come.</summary>
    private static bool IsPlain(ConnectionRecord* record) =>
        Volatile.Read(ref record->RingAddress) == 0 || (Reattachment.IsDetached(record) && Gate.Phase(&record->ReceiveGate) == DirectionPhase.Kernel);

    /// <summary>True if the kernel can have nothing to add to what the rings say: only input is asked for, and nobody has hinted at an end.</summary>
    public static bool OnlyBytesMatter(PollDescriptor* descriptors, nuint count)
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

    /// <summary>Sets Returned of every entry to what its ring says (0 for others); the number that is not 0.</summary>
    public static int Look(PollDescriptor* descriptors, nuint count)
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

    /// <summary>Before the thread sleeps: whoever has something for it rings. True if it waits for room in a ring.</summary>
    public static bool Arm(PollDescriptor* descriptors, nuint count)
    {
        bool waitsForRoom = false;
        for (nuint i = 0; i < count; i++)
        {
            ConnectionRecord* record = Ring(descriptors[i].Descriptor);
            EpollInstance* whole = record == null ? EpollWhole.Of(descriptors[i].Descriptor) : null;
            if (whole != null) _ = EpollArming.Arm(whole);
            if (record == null) continue;
            RingBlockHeader* outgoing = Block.Outgoing(record);
            if ((descriptors[i].Events & InputBits) != 0) Doorbell.ArmReader(Block.Incoming(record));
            if ((descriptors[i].Events & OutputBits) == 0 || RingReadiness.HasRoom(record, outgoing)) continue;
            BufferSizes.Refresh(descriptors[i].Descriptor, record);
            Doorbell.ArmWriter(outgoing);
            waitsForRoom = true;
        }
        return waitsForRoom;
    }
}
