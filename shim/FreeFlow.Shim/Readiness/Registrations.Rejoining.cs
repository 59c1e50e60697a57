using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <content>A doorbell that another one replaces (<see cref="Rejoining"/>).</content>
internal static unsafe partial class Registrations
{
    /// <summary>Takes a connection's doorbell, whose other end is closed, out of the kernel's sets.</summary>
    public static void RemoveDoorbell(uint connection)
    {
        int errno = Process.Errno;
        for (int fd = Connections.Local[connection - 1].FirstDescriptor; fd != 0; fd = Connections.Descriptors[fd - 1].NextDescriptor)
        {
            for (int index = Connections.Descriptors[fd - 1].FirstRegistration; index != 0; index = Entries[index - 1].NextOfDescriptor)
            {
                EpollEvent none;
                if (Entries[index - 1].Connection != 0) ControlHome(Instances + Entries[index - 1].Instance, Linux.EPOLL_CTL_DEL, Family.Records[connection - 1].Doorbell, &none);
            }
        }
        Process.Errno = errno;
    }

    /// <summary>Puts what stands behind its number now into them again, and has everything of the connection looked at anew.</summary>
    public static void ReturnDoorbell(uint connection)
    {
        ConnectionRecord* record = Family.Records + (connection - 1);
        int errno = Process.Errno;
        for (int fd = Connections.Local[connection - 1].FirstDescriptor; fd != 0; fd = Connections.Descriptors[fd - 1].NextDescriptor)
        {
            for (int index = Connections.Descriptors[fd - 1].FirstRegistration; index != 0; index = Entries[index - 1].NextOfDescriptor)
            {
                Registration* entry = Entries + (index - 1);
                EpollInstance* owner = Instances + entry->Instance;
                if (entry->Connection == 0 && !MayChange(owner)) continue;
                if (entry->Connection == 0) { _ = Accelerate(index, connection); continue; }
                bool locked = ThreadLock.Enter(&owner->Lock);
                entry->TailReported = entry->TailSeen = 0;
                AddDoorbell(owner, index, record->Doorbell);
                Refresh(entry, record, owed: false);
                Heat(owner, entry);
                if (locked) ThreadLock.Exit(&owner->Lock);
                NudgeSleepers(owner);
            }
        }
        Process.Errno = errno;
    }
}
