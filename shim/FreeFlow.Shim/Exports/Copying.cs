using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Exports;

/// <summary>sendfile(2) and splice(2): file and pipe bytes go straight into ring memory, and out of it.</summary>
internal static unsafe class CopyingCalls
{
    private const uint SpliceNonBlock = 2;

    [Interpose("ssize_t sendfile(int fd, int source, long* offset, size_t count)", Aliases = "sendfile64")]
    public static nint SendFile(int fd, int source, long* offset, nuint count)
    {
        ConnectionRecord* record = Connections.Find(fd);
        if (record == null) return Process.Libc->sendfile(fd, source, offset, count);
        if (Sender.IsOnRing(fd, record, 0))
        {
            nint moved = RingFiller.Fill(fd, record, source, offset, count, 0, once: false);
            Orphans.Release(record);
            if (moved != RingFiller.WentBack) return Process.Result(moved);
        }
        bool entered = Gate.Enter(&record->SendGate, &record->SendLock);
        nint sent = Process.FromLibc(Process.Libc->sendfile(fd, source, offset, count));
        return Process.Result(Sender.LeaveKernel(fd, record, entered, sent));
    }

    [Interpose("ssize_t splice(int source, long* sourceOffset, int target, long* targetOffset, size_t count, unsigned flags)", Guard = "(FF_FLAGS(source) | FF_FLAGS(target)) & FF_CONNECTION")]
    public static nint Splice(int source, long* sourceOffset, int target, long* targetOffset, nuint count, uint flags)
    {
        ConnectionRecord* to = Connections.Find(target), from = Connections.Find(source);
        if (to != null)
        {
            if (Sender.IsOnRing(target, to, 0))
            {
                nint moved = RingFiller.Fill(target, to, source, sourceOffset, count, (flags & SpliceNonBlock) != 0 ? Linux.MSG_DONTWAIT : 0, once: true);
                Orphans.Release(to);
                if (moved != RingFiller.WentBack) return Process.Result(moved);
            }
            bool entered = Gate.Enter(&to->SendGate, &to->SendLock);
            nint sent = Process.FromLibc(Process.Libc->splice(source, sourceOffset, target, targetOffset, count, flags));
            return Process.Result(Sender.LeaveKernel(target, to, entered, sent));
        }
        if (from == null) return Process.Libc->splice(source, sourceOffset, target, targetOffset, count, flags);
        return Process.Result(RingEmptier.Splice(source, from, target, count, flags, (flags & SpliceNonBlock) != 0 ? Linux.MSG_DONTWAIT : 0));
    }
}
