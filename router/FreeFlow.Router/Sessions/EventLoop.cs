using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using FreeFlow.Native;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Observe;
using FreeFlow.Router.Verbs;

namespace FreeFlow.Router.Sessions;

/// <summary>The router's one thread: callers, messages and the request to stop, through one epoll set.</summary>
internal sealed unsafe class EventLoop : IDisposable
{
    private const ulong ListenerKey = 0, StopKey = 1, PostKey = 2, FirstSession = 3;
    private const int EventsAtATime = 64;
    private const int CallersPerTurn = 64;

    private readonly RouterOptions _options;
    private readonly Listener _listener;
    private readonly SessionMessages _messages;
    private readonly Statistics _statistics;
    private readonly Log _log;
    private readonly int _epoll = Libc.epoll_create1(Libc.EPOLL_CLOEXEC);
    private readonly int _stop = Libc.eventfd(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK);
    private readonly int _post = Libc.eventfd(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK);
    private readonly ConcurrentQueue<Action> _posted = new();
    private readonly Dictionary<ulong, Session> _sessions = [];
    private readonly Dictionary<uint, UserAccount> _accounts = [];
    private readonly Queue<Session> _failed = [];
    private readonly LoopWatch _watch;
    private readonly Housekeeping _housekeeping = new();
    private readonly ReaderWatch _readers;
    private readonly CmBroker _connections;
    private ulong _nextSession = FirstSession;

    public EventLoop(RouterOptions options, Listener listener, SessionMessages messages, Broker broker, Statistics statistics, Log log)
    {
        _options = options;
        _listener = listener;
        _messages = messages;
        _statistics = statistics;
        _log = log;
        _connections = broker.Verbs.Connections;
        _watch = new LoopWatch(statistics, log);
        _readers = new ReaderWatch(broker, () => _messages.Families, Post);
        broker.Questions.GoOn = (session, goOn) => Post(() => GoOn(session, goOn));
        if (_epoll < 0 || _stop < 0 || _post < 0 || !Watch(listener.Socket, ListenerKey) || !Watch(_stop, StopKey) || !Watch(_post, PostKey)) throw new RouterException($"no epoll set can be had ({Errno.LastText}).");
    }

    /// <summary>Makes <see cref="Run"/> return; may be called from any thread.</summary>
    public void Stop() => Ring(_stop);

    /// <summary>Has this thread do something soon; may be called from any thread, as long as the loop is not disposed.</summary>
    public void Post(Action work)
    {
        _posted.Enqueue(work);
        Ring(_post);
    }

    /// <summary>Serves until <see cref="Stop"/>.</summary>
    public void Run()
    {
        EpollEvent* events = stackalloc EpollEvent[EventsAtATime];
        while (true)
        {
            int count = Libc.epoll_wait(_epoll, events, EventsAtATime, Shorter(Shorter(_housekeeping.Patience, _readers.Patience), _connections.Patience));
            // First of all: every other call changes errno.
            if (count < 0 && Errno.Last != Errno.EINTR) throw new RouterException($"epoll_wait fails ({Errno.LastText}).");
            if (_readers.Patience == 0) LookForReaders();
            if (_connections.Patience == 0) LookAtDeadlines();
            if (count == 0 && _housekeeping.Patience == 0) Tidy();
            if (count > 0) _housekeeping.NoteEvent();
            for (int i = 0; i < count; i++)
            {
                ulong key = events[i].Data;
                if (key == StopKey) return;
                long began = Stopwatch.GetTimestamp();
                Deal(key);
                CloseFailed();
                if (LoopWatch.IsLong(began)) _watch.Tell(began, Name(key));
            }
        }
    }

    public void Dispose()
    {
        // Their sockets go with the process, which waits for none; but for a thread that a program holds in a question, for as long as it likes.
        foreach (Session session in _sessions.Values)
        {
            Libc.shutdown(session.Socket, Libc.SHUT_RDWR);
            while (!_messages.EndSession(session)) { }
        }
        _sessions.Clear();
        Libc.close(_epoll);
        // Not what others still post by: its number could be a borrowed socket's by then. It goes with the process.
    }

    /// <summary>Deals with one event. No fault in it leaves it: whatever one session has brought about ends that session and nothing else.</summary>
    private void Deal(ulong key)
    {
        Session? session = null;
        try
        {
            if (key == ListenerKey) Accept();
            else if (key == PostKey) DoPosted();
            else if (_sessions.TryGetValue(key, out session))
            {
                _messages.Receive(session);
                if (session.IsAsking) Ignore(session);
                else if (session.IsPaused) Pause(session);
            }
        }
        catch (Exception exception) when (IsSurvived(exception, session?.ToString() ?? "a caller"))
        {
            session?.Fail("a fault in this router");
        }
    }

    private void Tidy()
    {
        long began = Stopwatch.GetTimestamp();
        try { _housekeeping.Tidy(_sessions.Values, _messages.Families); }
        catch (Exception exception) when (IsSurvived(exception, "housekeeping")) { }
        if (LoopWatch.IsLong(began)) _watch.Tell(began, "housekeeping");
    }

    private void LookForReaders()
    {
        long began = Stopwatch.GetTimestamp();
        try { _readers.Look(); }
        catch (Exception exception) when (IsSurvived(exception, "the look at the rings")) { }
        if (LoopWatch.IsLong(began)) _watch.Tell(began, "the look at the rings");
    }

    private void LookAtDeadlines()
    {
        try { _connections.LookAtDeadlines(); }
        catch (Exception exception) when (IsSurvived(exception, "the deadlines of connections")) { }
    }

    /// <summary>Of two times to wait; a negative one is for ever.</summary>
    private static int Shorter(int one, int other) => one < 0 || (other >= 0 && other < one) ? other : one;

    private string Name(ulong key) => key switch
    {
        ListenerKey => "callers",
        PostKey => "what other threads have posted",
        _ when _sessions.TryGetValue(key, out Session? session) => $"{_messages.Last} of {session}",
        _ => $"{_messages.Last} and the end of session {key}",
    };

    /// <summary>Counts and names a fault. False for the one that the router does not survive: it says so itself.</summary>
    private bool IsSurvived(Exception exception, string where)
    {
        if (exception is RouterException) return false;
        _statistics.Faults++;
        _log.Faulted(where, exception.GetType().Name, exception.Message, FirstFrame(exception));
        return true;
    }

    private static string FirstFrame(Exception exception) => exception.StackTrace?.Split('\n')[0].TrimEnd() ?? "";

    private static void Ring(int bell)
    {
        ulong one = 1;
        Libc.write(bell, &one, sizeof(ulong));
    }

    private void DoPosted()
    {
        ulong count;
        _ = Libc.read(_post, &count, sizeof(ulong));
        // Those that are there now: whoever posts faster than this goes on must not keep the programs' messages waiting.
        for (int left = _posted.Count; left > 0 && _posted.TryDequeue(out Action? work); left--)
        {
            try { work(); }
            catch (Exception exception) when (IsSurvived(exception, "what was posted")) { }
        }
        if (!_posted.IsEmpty) Ring(_post);
    }

    private void Accept()
    {
        for (int i = 0; i < CallersPerTurn; i++)
        {
            int socket = _listener.Accept();
            if (socket < 0) return;
            PeerCredentials peer;
            uint length = (uint)sizeof(PeerCredentials);
            if (Libc.getsockopt(socket, Libc.SOL_SOCKET, Libc.SO_PEERCRED, &peer, &length) != 0 || length != sizeof(PeerCredentials)) { Libc.close(socket); continue; }
            UserAccount account = _accounts.TryGetValue(peer.UserId, out UserAccount? known) ? known : _accounts[peer.UserId] = new UserAccount(peer.UserId, Tell);
            Session session = new(_nextSession++, socket, peer, account, _failed);
            if (account.Sessions >= _options.MaximumSessionsPerUser || DescriptorReserve.IsTooHighForSession(socket) || !Watch(socket, session.Id))
            {
                string more = DescriptorReserve.IsTooHighForSession(socket) ? ", and this router few descriptors left" : "";
                _log.SessionTurnedAway(session, peer.UserId, account.Sessions, more);
                Close(socket, account);
                ForgetIfIdle(account);
                continue;
            }
            account.Sessions++;
            _sessions[session.Id] = session;
        }
    }

    private void CloseFailed()
    {
        while (_failed.TryDequeue(out Session? session))
        {
            if (session.Failure == Session.Gone) _log.SessionEnded(session);
            else _log.SessionClosed(session, session.Failure);
            _sessions.Remove(session.Id);
            // Its number stays until another thread closes it, and would be heard of here until then.
            EpollEvent none;
            if (session is { IsPaused: false, IsAsking: false }) Libc.epoll_ctl(_epoll, Libc.EPOLL_CTL_DEL, session.Socket, &none);
            session.Account.Paused.Remove(session);
            Close(session.Socket, session.Account);
            session.EndsLater = session.IsAsking;
            if (!session.EndsLater) End(session);
        }
    }

    /// <summary>Posted: what a session has asked is answered.</summary>
    private void GoOn(Session session, Action<bool> goOn)
    {
        SessionMessages.EndQuestion(session);
        bool lives = session is { Failure: null, EndsLater: false };
        try { goOn(lives); }
        catch (Exception exception) when (IsSurvived(exception, session.ToString())) { session.Fail("a fault in this router"); }
        if (session.EndsLater) End(session);
        // Its limits are looked at when it is read again.
        else if (session is { Failure: null, IsAsking: false }) Hear(session);
    }

    private void Ignore(Session session)
    {
        EpollEvent none;
        Libc.epoll_ctl(_epoll, Libc.EPOLL_CTL_DEL, session.Socket, &none);
    }

    private void Hear(Session session)
    {
        if (!Watch(session.Socket, session.Id)) session.Fail($"it cannot be heard any more ({Errno.LastText})");
    }

    /// <summary>Gives back what it held, in as many turns as that takes, and forgets the user when nothing of it is left.</summary>
    private void End(Session session)
    {
        bool done = true;
        try { done = _messages.EndSession(session); }
        catch (Exception exception) when (IsSurvived(exception, $"the end of {session}")) { }
        if (!done) { Post(() => End(session)); return; }
        session.Account.Sessions--;
        ForgetIfIdle(session.Account);
    }

    /// <summary>Closes a caller's socket, which may hold descriptors unread.</summary>
    private static void Close(int socket, UserAccount account)
    {
        // Its process hears of it now, whatever has to be closed before.
        Libc.shutdown(socket, Libc.SHUT_RDWR);
        ForeignDescriptors.Close(socket, account);
    }

    private void ForgetIfIdle(UserAccount account)
    {
        if (account.Sessions > 0) return;
        account.Await();
        if (account.IsIdle) _accounts.Remove(account.UserId);
    }

    /// <summary>Any thread: something of this user's is closed, and somebody waits for that.</summary>
    private void Tell(UserAccount account) => Post(() => Settle(account));

    private void Settle(UserAccount account)
    {
        foreach (Session session in account.Paused.ToArray())
        {
            if (!ForeignDescriptors.HasTooMany(session)) Resume(session);
        }
        if (account.Paused.Count > 0 || !account.IsIdle) account.Await();
        // What was closed before that is told by nobody.
        if (account.IsIdle) _accounts.Remove(account.UserId);
        else foreach (Session session in account.Paused.ToArray()) ResumeIfDone(session);
    }

    private void Pause(Session session)
    {
        Ignore(session);
        session.Account.Paused.Add(session);
        _statistics.Pauses++;
        session.Account.Await();
        ResumeIfDone(session);
    }

    private void ResumeIfDone(Session session)
    {
        if (Volatile.Read(ref session.PendingCloses) == 0 && !ForeignDescriptors.HasTooMany(session)) Resume(session);
    }

    private void Resume(Session session)
    {
        session.Account.Paused.Remove(session);
        session.IsPaused = false;
        Hear(session);
    }

    private bool Watch(int descriptor, ulong key)
    {
        EpollEvent interest = new() { Events = Libc.EPOLLIN, Data = key };
        return Libc.epoll_ctl(_epoll, Libc.EPOLL_CTL_ADD, descriptor, &interest) == 0;
    }
}
