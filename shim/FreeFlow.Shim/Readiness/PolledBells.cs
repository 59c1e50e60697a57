using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <summary>The doorbells of the connections in a poll(2), slept on beside its entries.</summary>
internal static unsafe class PolledBells
{
    /// <summary>Connections that share a doorbell are mostly neighbours; poll(2) refuses more entries than there can be descriptors.</summary>
    private const nuint Neighbours = 16;

    /// <summary>Counts this thread among the sleepers of the set's rings, and notes whose doorbells are where; returns how many connections.</summary>
    public static nuint CountIn(PollDescriptor* descriptors, nuint count, uint* held, PollDescriptor* bells, BellOwner* owners, out nuint used)
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
    public static void CountOut(nuint count, PollDescriptor* bells, BellOwner* owners)
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
}
