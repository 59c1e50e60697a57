using System;
using System.Linq;
using FreeFlow.Router.Cluster;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Observe;
using FreeFlow.Router.Sessions;
using FreeFlow.Service;

namespace FreeFlow.Router.Hosting;

/// <summary>
/// The router as its service manager sees it: whatever says that it is alive, or reads something again, is a turn of the event loop.
/// </summary>
/// <param name="options">What was read at the start.</param>
/// <param name="arguments">The command line, which may name a file that SIGHUP makes us read again.</param>
/// <param name="words">The command line with the options of that file in it, as they were read at the start.</param>
/// <param name="cluster">Whose certificates are read again.</param>
/// <param name="loop">The router's thread.</param>
/// <param name="log">Whose verbosity may change.</param>
internal sealed class RouterDaemon(
    RouterOptions options, string[] arguments, string[] words, ClusterMembership cluster, EventLoop loop, Log log) : IDaemon
{
    private string[] _words = words;

    /// <summary>
    /// What else has certificates to read again, by the router's thread; a mistake in them is thrown as <see cref="RouterException"/>, and
    /// then they stay as they were.
    /// </summary>
    public event Action? CertificateReloads;

    /// <inheritdoc/>
    public string Status => $"listens on {options.SocketPath}";

    /// <summary>The event loop itself says so.</summary>
    public bool IsAlive => true;

    /// <inheritdoc/>
    public void Invoke(Action work) => loop.Post(work);

    /// <inheritdoc/>
    public void Reload()
    {
        ReadOptions();
        foreach (Action reload in CertificateReloads?.GetInvocationList().Cast<Action>() ?? []) ReadCertificates(reload);
        ReadCertificates(cluster.ReadCertificates);
    }

    // What is wrong in the file changes nothing: the router goes on as it is.
    private void ReadOptions()
    {
        try
        {
            string[] again = RouterOptions.Words(arguments);
            RouterOptions read = RouterOptions.Parse(again);
            bool restart = !again.Where(IsFixed).SequenceEqual(_words.Where(IsFixed));
            _words = again;
            log.Verbose = read.Verbose;
            if (restart) log.OptionsNeedRestart();
            else log.OptionsRead();
        }
        catch (RouterException exception)
        {
            log.OptionsStay(exception.Message);
        }
    }

    private void ReadCertificates(Action reload)
    {
        try { reload(); }
        catch (RouterException exception) { log.CertificatesStay(exception.Message); }
    }

    private static bool IsFixed(string option) => option != "--verbose";
}
