using System;
using System.Collections.Generic;
using FreeFlow.Native;

namespace FreeFlow.Router.Observe;

/// <summary>One status on its way to who asked. The thread of <see cref="StatusWriter"/>.</summary>
/// <param name="session">Whose answer it is; it may have one at a time.</param>
/// <param name="user">The asker's uid.</param>
/// <param name="isTrusted">It is the host's root: it need not rest.</param>
/// <param name="socket">This object's.</param>
/// <param name="report">What to send.</param>
internal sealed unsafe class StatusStream(ulong session, uint user, bool isTrusted, int socket, StatusReport report) : IDisposable
{
    /// <summary>Milliseconds that nobody reads what waits.</summary>
    private const int Patience = 30_000;

    private readonly IEnumerator<bool> _steps = report.Steps();
    private int _sent;
    private long _movedAt = Environment.TickCount64;

    public ulong Session { get; } = session;

    /// <summary>Who bears what it costs. A container's root may be the same user as the host's, and is another payer.</summary>
    public (uint User, bool IsTrusted) Payer { get; } = (user, isTrusted);

    public int Socket { get; } = socket;

    /// <summary>Another one of the same session has taken its place, or too many of the same user wait. Any thread.</summary>
    public volatile bool IsCancelled;

    /// <summary>The socket takes no more, until poll(2) says that it does.</summary>
    public bool IsBlocked { get; set; }

    /// <summary>Nobody has read anything for so long that it is given up.</summary>
    public bool IsGivenUp => IsBlocked && Environment.TickCount64 - _movedAt > Patience;

    /// <summary>Makes and sends one piece, without waiting. False if it is over: all is sent, or nobody reads it.</summary>
    public bool Step()
    {
        if (IsCancelled || IsGivenUp) return false;
        ReadOnlySpan<byte> unsent = report.Piece[_sent..];
        if (unsent.IsEmpty)
        {
            report.Clear();
            _sent = 0;
            bool more = _steps.MoveNext();
            unsent = report.Piece;
            if (unsent.IsEmpty) return more;
        }
        nint sent;
        fixed (byte* bytes = unsent) sent = Libc.send(Socket, bytes, (nuint)unsent.Length, Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL);
        IsBlocked = sent < 0 && Errno.Last == Errno.EAGAIN;
        if (IsBlocked) return true;
        if (sent < 0) return Errno.Last is Errno.EINTR or Errno.ENOBUFS or Errno.ENOMEM;
        _sent += (int)sent;
        _movedAt = Environment.TickCount64;
        return true;
    }

    public void Dispose()
    {
        _steps.Dispose();
        Libc.close(Socket);
    }
}
