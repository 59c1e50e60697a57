using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// A closed connection whose return the kernel has not taken yet, because its reader is slow: a small process stays behind that holds the socket until it has, as the
/// kernel would have held the bytes.
/// </summary>
internal static unsafe class ReturnFinisher
{
    private const ulong PatienceNanoseconds = 10_000_000;

    /// <summary>
    /// Before the program's last close(2): waits for the kernel to take what is left of a return for as long as the program has asked its close to wait (SO_LINGER), or a
    /// moment, and leaves the rest to a process of its own.
    /// </summary>
    public static void AwaitOrStart(int fd, ConnectionRecord* record, Linger linger)
    {
        ulong start = Process.Now(), patience = linger.On != 0 ? (ulong)linger.Seconds * 1_000_000_000 : Stall.Allow(PatienceNanoseconds);
        bool whole = ReturnWaiter.Await(fd, record, start + patience);
        Stall.Spent(start);
        if (whole) return;
        // In a shared ring its reader finds the rest, unless it has asked for it.
        if (!ReturnMark.IsMirrored(record) && ThreadLock.Enter(&record->SendLock))
        {
            SendReturn.StopUnlessWanted(record);
            ThreadLock.Exit(&record->SendLock);
        }
        if (SendReturn.IsUnderWay(record)) Start(fd, record);
    }

    /// <summary>The record may be freed afterwards.</summary>
    private static void Start(int fd, ConnectionRecord* record)
    {
        ConnectionRecord copy = *record;
        _ = LeftBehind.Start(out bool here);
        if (!here) return;
        LeftBehind.Become(fd, fd, fd);
        // The parent's lock, if any thread of it holds it now.
        copy.SendLock = 0;
        while (!SendReturn.Advance(&copy, fd)) ReturnWaiter.Sleep(fd, &copy);
        LeftBehind.Exit();
    }
}
