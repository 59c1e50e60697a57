using System;

namespace FreeFlow.Router.Sessions;

/// <summary>
/// What the router asks the kernel about a socket that a program has shown. Many an answer needs the socket's lock, which a program can hold for as long as it likes: by a transfer from memory that
/// a server of its own is to deliver (FUSE, userfaultfd). So the event loop asks nothing of the kind itself: threads do, a few for each user. The session that has shown the socket is not read
/// until the answer is there, so that its messages stay in order.
/// </summary>
internal sealed class ForeignQuestions
{
    private const int MostThreadsOfUser = 4;

    private readonly UserThreads _threads;

    /// <param name="options">The priority of the threads, which is the event loop's: programs wait for the answers.</param>
    public ForeignQuestions(RouterOptions options) => _threads = new("asker", MostThreadsOfUser, () => Priority.Take(options.Nice, null));

    /// <summary>Has the event loop go on with a session when its answer is there: set by the loop.</summary>
    public Action<Session, Action<bool>> GoOn { get; set; } = (_, goOn) => goOn(true);

    /// <summary>The event loop's. Asks about a descriptor, which is this object's from now on.</summary>
    /// <param name="session">Who has shown it.</param>
    /// <param name="descriptor">What it has shown.</param>
    /// <param name="ask">Any thread; must not throw.</param>
    /// <param name="goOn">The event loop's, with the answer; not called if the session has ended.</param>
    public void Ask<T>(Session session, int descriptor, Func<int, T> ask, Action<T> goOn)
    {
        session.IsAsking = true;
        _threads.Add(session.Account.Asking, () =>
        {
            T answer = ask(descriptor);
            ForeignDescriptors.Close(descriptor, session.Account, session);
            GoOn(session, lives =>
            {
                using (answer as IDisposable)
                {
                    if (lives) goOn(answer);
                }
            });
        });
    }
}
