using System;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Hosting.Systemd;

namespace FreeFlow.Service;

/// <summary>
/// Tells the service manager how this process is (sd_notify(3)): ready, reloading, stopping, alive. Without NOTIFY_SOCKET in the environment it does nothing, so a daemon need not ask
/// who started it. Any thread. It never waits and never throws, where the host's own notifier does both: a manager that does not listen is no reason to stop.
/// </summary>
public sealed class ServiceNotifier : ISystemdNotifier, IDisposable
{
    private readonly Socket? _socket;

    /// <param name="environment">NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, as systemd sets them.</param>
    public ServiceNotifier(Func<string, string?> environment)
    {
        // "@name" is a name in the abstract namespace, which begins with a zero byte; vsock: and the like are for virtual machines.
        if (environment("NOTIFY_SOCKET") is not { Length: > 1 } name || name[0] is not ('/' or '@')) return;
        try
        {
            _socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
            _socket.Connect(new UnixDomainSocketEndPoint(name[0] == '@' ? "\0" + name[1..] : name));
        }
        catch (Exception exception) when (exception is SocketException or ArgumentException)
        {
            _socket?.Dispose();
            _socket = null;
            return;
        }
        bool meant = environment("WATCHDOG_PID") is not { Length: > 0 } pid || pid == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        if (meant && long.TryParse(environment("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out long microseconds) && microseconds > 0)
        {
            // Twice in each period, as sd_watchdog_enabled(3) asks for.
            WatchdogInterval = TimeSpan.FromMicroseconds(microseconds / 2.0);
        }
    }

    /// <summary>How often <see cref="Alive"/> must be called; null: nobody watches.</summary>
    public TimeSpan? WatchdogInterval { get; }

    /// <inheritdoc/>
    public bool IsEnabled => _socket is not null;

    /// <inheritdoc/>
    public void Notify(ServiceState state) => Send(state.ToString());

    /// <summary>The service serves; the text is what <c>systemctl status</c> shows.</summary>
    public void Ready(string status) => Send($"READY=1\nSTATUS={status}");

    /// <summary>The configuration is read again; <see cref="Ready"/> ends it.</summary>
    // Stopwatch reads CLOCK_MONOTONIC on Linux, in nanoseconds.
    public void Reloading() => Send(string.Create(CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1_000_000)}"));

    /// <summary>The service is about to end.</summary>
    public void Stopping() => Send("STOPPING=1\nSTATUS=stopping");

    /// <summary>A new text for <c>systemctl status</c>.</summary>
    public void Status(string status) => Send($"STATUS={status}");

    /// <summary>The service does its work. To be called by what does it, not by a timer of its own.</summary>
    public void Alive() => Send("WATCHDOG=1");

    /// <inheritdoc/>
    public void Dispose() => _socket?.Dispose();

    private void Send(string text)
    {
        try
        {
            _ = _socket?.Send(Encoding.UTF8.GetBytes(text));
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The manager is away, or does not read: the next word may reach it.
        }
    }
}
