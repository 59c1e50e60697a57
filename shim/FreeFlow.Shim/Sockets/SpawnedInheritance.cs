using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Exports;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// What posix_spawn(3) and its kin hand on, while this process goes on with its own descriptors: <see cref="Inheritance"/>, but for the stand-ins, which only the other
/// program gets, by file actions (native/spawn.c).
/// </summary>
internal static unsafe class SpawnedInheritance
{
    /// <summary>
    /// All that is inherited or copied is asked back at once, then waited for together. <paramref name="fds"/>: <paramref name="count"/> descriptors that are copied; afterwards
    /// those that are given a stand-in, whose number is returned.
    /// </summary>
    public static int HandOver(int* fds, int* standIns, int count, int most)
    {
        int errno = Process.Errno, meant = count, given = 0;
        for (int fd = Inheritance.Next(-1); fd >= 0; fd = Inheritance.Next(fd))
            if (meant < most && IsMeant(fd) && !IsAmong(fds, count, fd)) fds[meant++] = fd;
        bool waiting = false;
        for (int fd = Inheritance.Next(-1); fd >= 0; fd = Inheritance.Next(fd)) waiting |= SocketCalls.StopReading(fd, Reason.Exec) != null;
        for (int i = 0; i < count; i++) waiting |= SocketCalls.StopReading(fds[i], Reason.Exec) != null;
        for (int fd = Inheritance.Next(-1); fd >= 0; fd = Inheritance.Next(fd)) SocketCalls.StopSending(fd, Reason.Exec);
        for (int i = 0; i < count; i++) SocketCalls.StopSending(fds[i], Reason.Exec);
        ulong start = Process.Now();
        waiting |= SendReturn.IsDue;
        for (int i = 0; i < meant && waiting; i++)
        {
            int fd = fds[i];
            ConnectionRecord* record = Connections.Find(fd);
            int pump = record == null || Inheritance.IsWhole(fd, record, start) ? -1 : Pump.Start(fd, record, lent: true);
            if (pump < 0) continue;
            fds[given] = fd;
            standIns[given++] = pump;
        }
        // What is inherited without being meant for the other program is as whole as the same time allows.
        for (int fd = Inheritance.Next(-1); fd >= 0 && waiting; fd = Inheritance.Next(fd))
        {
            ConnectionRecord* record = Connections.Find(fd);
            _ = Inheritance.IsWhole(fd, record, start) || Refill.TryPutBack(fd, record);
        }
        Process.Errno = errno;
        return given;
    }

    /// <summary>Standard input and output, and what was marked. Anything else may as well be left over: this process goes on, and reads what is unread there.</summary>
    private static bool IsMeant(int fd) => fd <= 2 || (Connections.Find(fd)->Flags & (uint)ConnectionFlags.Inheritable) != 0;

    private static bool IsAmong(int* fds, int count, int fd)
    {
        for (int i = 0; i < count; i++) if (fds[i] == fd) return true;
        return false;
    }
}
