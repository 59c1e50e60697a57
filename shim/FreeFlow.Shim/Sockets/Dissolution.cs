using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Readiness;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// connect(2) to AF_UNSPEC: the connection ends with a reset, and its socket, under all its numbers here and in relatives, is a new one. What was unread is gone,
/// epoll sets go on reporting it, and who slept on it is told EPIPE (Linux 6.7).
/// </summary>
internal static unsafe class Dissolution
{
    private const int Most = 16;

    public static int Dissolve(int fd, void* address, uint length)
    {
        int* numbers = stackalloc int[Most];
        int* registrations = stackalloc int[Most];
        int count = Connections.Numbers(fd, numbers, Most);
        // What a close with unread bytes leaves behind would reset the next connection too.
        ulong linger;
        uint size = sizeof(ulong);
        bool known = Process.Libc->getsockopt(fd, Linux.SOL_SOCKET, Linux.SO_LINGER, &linger, &size) == 0;
        ConnectionRecord* record = Connections.Find(fd);
        uint flags = record != null ? Volatile.Read(ref record->Flags) : 0;
        if (record != null) LeaveRing(fd, record);
        for (int i = 0; i < count; i++)
        {
            registrations[i] = Registrations.Release(numbers[i]);
            Connections.Closing(numbers[i]);
        }
        int result = Process.Libc->connect(fd, address, length);
        int errno = Process.Errno;
        if (known) Process.Libc->setsockopt(fd, Linux.SOL_SOCKET, Linux.SO_LINGER, &linger, size);
        for (int i = 0; i < count; i++)
        {
            Connections.Descriptors[numbers[i]].FirstRegistration = registrations[i];
            SocketTimeouts.Keep(numbers[i], flags);
            Process.Flags[numbers[i]] = count > 1 ? (byte)(DescriptorFlags.Candidate | DescriptorFlags.Copied) : DescriptorFlags.Candidate;
        }
        Process.Errno = errno;
        return result;
    }

    /// <summary>Relatives that have the socket, too, find nothing in the ring any more, and the peer is told.</summary>
    private static void LeaveRing(int fd, ConnectionRecord* record)
    {
        Offering.KeepInKernel(record, Reason.PeerClosed);
        Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.Dissolved);
        if (record->RingAddress == 0 || Holders.IsSole(record, fd)) return;
        Handover.AnnounceClose(fd, record);
        Sender.GoBack(record, Reason.PeerClosed);
        if (ReturnMark.IsMirrored(record) || !ThreadLock.Enter(&record->ReceiveLock)) return;
        if (Gate.Phase(&record->ReceiveGate) is DirectionPhase.Ready or DirectionPhase.Ring) Gate.Set(&record->ReceiveGate, DirectionPhase.Back);
        ThreadLock.Exit(&record->ReceiveLock);
    }
}
