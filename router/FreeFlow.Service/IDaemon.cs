using System;

namespace FreeFlow.Service;

/// <summary>What a daemon is to <see cref="DaemonReports"/>, which speaks of it to the service manager.</summary>
public interface IDaemon
{
    /// <summary>One line for <c>systemctl status</c>, once it serves.</summary>
    string Status { get; }

    /// <summary>False once its work has stood still for too long. Asked inside <see cref="Invoke"/>.</summary>
    bool IsAlive { get; }

    /// <summary>Has the thread that does the daemon's work do something soon. Any thread.</summary>
    void Invoke(Action work);

    /// <summary>
    /// Reads again what may change while it runs; called inside <see cref="Invoke"/>. Never throws: it logs a mistake, and goes on as
    /// before.
    /// </summary>
    void Reload();
}
