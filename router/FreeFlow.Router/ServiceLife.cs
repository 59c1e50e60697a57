using System;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using FreeFlow.Router.Observe;
using FreeFlow.Service;

namespace FreeFlow.Router;

/// <summary>
/// The router as its service manager sees it. Everything that says "alive" or "ready" is said by the router's own thread, between two turns of its loop: a router that hangs is silent, and is
/// started anew by its manager.
/// </summary>
internal sealed class ServiceLife : IDisposable
{
    private readonly ServiceNotifier _notifier = new(Environment.GetEnvironmentVariable);
    private readonly Action<Action> _post;
    private readonly string[] _arguments;
    private readonly Log _log;
    private readonly PosixSignalRegistration _hangup;
    private readonly Timer? _watchdog;
    private string[] _options;
    private string _status = "";

    /// <param name="post">Does something on the router's thread.</param>
    /// <param name="arguments">The command line, which may name a file that SIGHUP makes us read again.</param>
    /// <param name="log">Whose verbosity may change.</param>
    public ServiceLife(Action<Action> post, string[] arguments, Log log)
    {
        (_post, _arguments, _log, _options) = (post, arguments, log, Options(arguments));
        _hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            _post(Reload);
        });
        if (_notifier.WatchdogInterval is { } interval) _watchdog = new Timer(_ => _post(_notifier.Alive), null, interval, interval);
    }

    /// <summary>The command line with the file's options in it; throws <see cref="RouterException"/> with one line.</summary>
    public static string[] Options(string[] arguments)
    {
        try
        {
            return OptionFile.Expand(arguments);
        }
        catch (Exception exception) when (exception is FormatException or IOException or UnauthorizedAccessException)
        {
            throw new RouterException(exception.Message);
        }
    }

    /// <summary>What else is read again, by the router's thread; what is wrong with it is thrown as <see cref="RouterException"/>, and then stays as it was.</summary>
    public event Action? Reloads;

    /// <summary>Says, with the loop's first turn, that the router serves.</summary>
    public void Ready(string status)
    {
        _status = status;
        _post(() => _notifier.Ready(status));
    }

    /// <summary>Says that the router is about to end.</summary>
    public void Stopping() => _notifier.Stopping();

    public void Dispose()
    {
        _hangup.Dispose();
        _watchdog?.Dispose();
        _notifier.Dispose();
    }

    // What is wrong in the file changes nothing: the router goes on as it is.
    private void Reload()
    {
        _notifier.Reloading();
        try
        {
            string[] options = Options(_arguments);
            RouterOptions read = RouterOptions.Parse(options);
            bool restart = !options.Where(IsFixed).SequenceEqual(_options.Where(IsFixed));
            _options = options;
            _log.Verbose = read.Verbose;
            _log.Line(restart ? "options are read again; some of the changes need a restart" : "options are read again");
        }
        catch (RouterException exception)
        {
            _log.Line($"the options stay as they are: {exception.Message}");
        }
        foreach (Action reload in Reloads?.GetInvocationList().Cast<Action>() ?? [])
        {
            try { reload(); }
            catch (RouterException exception) { _log.Line($"certificates stay as they are: {exception.Message}"); }
        }
        _notifier.Ready(_status);
    }

    private static bool IsFixed(string option) => option != "--verbose";
}
