using System.Threading;
using FreeFlow.Native;

namespace FreeFlow.Router.Sessions;

/// <summary>
/// Closes descriptors that processes have sent, and whatever they could have put descriptors into. The last close(2) of a socket with SO_LINGER waits for its peer (socket(7)), also if that socket lies
/// unread in another one; that of a file may wait for a server of the sender's own (FUSE), and that of much memory takes its time. None of it can be known before, so the event loop closes none
/// itself: threads do, a few at a time for each user, so that a user who makes them wait makes nobody else wait.
/// </summary>
internal static unsafe class ForeignDescriptors
{
    /// <summary>Of one user: the threads that close for it at once, and how many descriptors may wait for them before its sessions are not read any more.</summary>
    private const int MostThreadsOfUser = 4, MostOfUser = 4096;

    /// <summary>Of one session likewise. One message more may come on top (SCM_MAX_FD).</summary>
    private const int MostOfSession = 64;

    /// <summary>From here on a user's sockets do not linger: it has had its share of threads.</summary>
    private const int Honest = 64;

    private static readonly UserThreads s_threads = new("closer", MostThreadsOfUser);
    private static readonly UserAccount s_borrowed = new();

    /// <summary>Any thread. The session, if it is one's, is charged until the descriptor is closed.</summary>
    public static void Close(int descriptor, UserAccount account, Session? session = null)
    {
        if (session is not null) Interlocked.Increment(ref session.PendingCloses);
        Interlocked.Increment(ref account.PendingCloses);
        s_threads.Add(account.Closing, () => CloseNow(descriptor, account, session));
    }

    /// <summary>Closes a socket that is still its program's own, most likely, whose options nobody else may touch.</summary>
    public static void CloseBorrowed(int socket)
    {
        if (IsQuick(socket)) Libc.close(socket);
        else Close(socket, s_borrowed);
    }

    /// <summary>Closes a router's end of something into which a program could have put descriptors.</summary>
    public static void CloseShared(int descriptor) => Close(descriptor, s_borrowed);

    /// <summary>True if so much of this session's, or of its user's, waits to be closed that no more may come.</summary>
    public static bool HasTooMany(Session session) => Volatile.Read(ref session.PendingCloses) >= MostOfSession || Volatile.Read(ref session.Account.PendingCloses) >= MostOfUser;

    private static bool IsQuick(int descriptor)
    {
        Linger linger;
        uint length = (uint)sizeof(Linger);
        return Libc.getsockopt(descriptor, Libc.SOL_SOCKET, Libc.SO_LINGER, &linger, &length) == 0 && (linger.IsOn == 0 || linger.Seconds == 0);
    }

    private static void NeverLinger(int descriptor)
    {
        Linger none = default;
        Libc.setsockopt(descriptor, Libc.SOL_SOCKET, Libc.SO_LINGER, &none, (uint)sizeof(Linger));
    }

    private static void CloseNow(int descriptor, UserAccount account, Session? session)
    {
        if (account != s_borrowed && Volatile.Read(ref account.PendingCloses) > Honest) NeverLinger(descriptor);
        Libc.close(descriptor);
        if (session is not null) Interlocked.Decrement(ref session.PendingCloses);
        Interlocked.Decrement(ref account.PendingCloses);
        account.TellIfAwaited();
    }

    /// <summary>struct linger.</summary>
    private struct Linger
    {
        public int IsOn;
        public int Seconds;
    }
}
