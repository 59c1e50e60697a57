using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// The process ends and the kernel is about to close its connections: peers are told as by close(2), so that their next send meets what the kernel has to say of it
/// instead of filling a ring that nobody reads. Of a process that is killed they learn from the kernel and the doorbell.
/// </summary>
internal static unsafe class Departure
{
    public static void Announce()
    {
        // A vfork child ends, not the process whose tables it sees.
        if (Process.IsBorrowedMemory) return;
        for (uint i = 0; i < Family.Header->RecordsUsed; i++)
        {
            int fd = Connections.Local[i].FirstDescriptor - 1;
            ConnectionRecord* record = Family.Records + i;
            if (fd >= 0 && record->RingAddress != 0 && Holders.IsSole(record, fd)) Handover.AnnounceClose(fd, record, exits: true);
        }
    }
}
