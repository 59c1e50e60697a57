using System.Collections.Concurrent;
using System.Threading;
using FreeFlow.Native;

namespace FreeFlow.Router.Sessions;

/// <summary>
/// Closes descriptors that processes have sent. The last close(2) of a socket with SO_LINGER waits for its peer (socket(7)), that of a file may wait for a
/// server of the sender's own (FUSE): neither may hold up the router's one thread, so all but plain ones are closed by others.
/// </summary>
internal static unsafe class ForeignDescriptors
{
    private const int MostAtOnce = 64;

    private static readonly UserAccount s_borrowed = new();
    private static readonly ConcurrentQueue<(int Descriptor, UserAccount Account)> s_waiting = new();

    /// <summary>Closes one. False if this user has more of the slow kind under way than is honest.</summary>
    public static bool Close(int descriptor, UserAccount account)
    {
        if (IsQuick(descriptor)) { Libc.close(descriptor); return true; }
        bool honest = account.SlowCloses < MostAtOnce;
        if (!honest) NeverLinger(descriptor);
        CloseElsewhere(descriptor, account);
        return honest;
    }

    /// <summary>Closes a socket that is still its program's own, most likely, whose options nobody else may touch.</summary>
    public static void CloseBorrowed(int socket)
    {
        if (IsQuick(socket)) Libc.close(socket);
        else CloseElsewhere(socket, s_borrowed);
    }

    /// <summary>Closes a session's socket. What it holds unread may be descriptors, which the kernel closes with it.</summary>
    public static void CloseSession(int socket, UserAccount account)
    {
        int unread = 0;
        if (Libc.ioctl(socket, Libc.FIONREAD, (nint)(&unread)) == 0 && unread == 0) Libc.close(socket);
        else CloseElsewhere(socket, account);
    }

    private static bool IsQuick(int descriptor)
    {
        Linger linger;
        uint length = (uint)sizeof(Linger);
        if (Libc.getsockopt(descriptor, Libc.SOL_SOCKET, Libc.SO_LINGER, &linger, &length) == 0) return linger.IsOn == 0 || linger.Seconds == 0;
        return Libc.fcntl(descriptor, Libc.F_GET_SEALS, 0) >= 0;
    }

    private static void NeverLinger(int descriptor)
    {
        Linger none = default;
        Libc.setsockopt(descriptor, Libc.SOL_SOCKET, Libc.SO_LINGER, &none, (uint)sizeof(Linger));
    }

    private static void CloseElsewhere(int descriptor, UserAccount account)
    {
        account.BeginSlowClose();
        s_waiting.Enqueue((descriptor, account));
        // If no thread can be had now, the next one closes it, too.
        Threads.TryStart(new Thread(CloseWaiting, maxStackSize: 65536) { IsBackground = true });
    }

    private static void CloseWaiting()
    {
        while (s_waiting.TryDequeue(out (int Descriptor, UserAccount Account) next))
        {
            Libc.close(next.Descriptor);
            next.Account.EndSlowClose();
        }
    }

    /// <summary>struct linger.</summary>
    private struct Linger
    {
        public int IsOn;
        public int Seconds;
    }
}
