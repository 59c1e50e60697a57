using System;
using System.IO;
using System.Security.Cryptography;
using FreeFlow.Hunter.Logging;
using FreeFlow.Locations.Etcd;
using FreeFlow.Locations.Publishing;
using FreeFlow.Service;
using Microsoft.Extensions.Logging;

namespace FreeFlow.Hunter.Hosting;

/// <summary>The hunter as its service manager sees it: alive while its publisher turns.</summary>
internal sealed class HunterDaemon(HunterOptions options, EtcdClient client, Publisher publisher, ILogger log) : IDaemon
{
    // A call to etcd may take its time, a turn never this long.
    private static readonly TimeSpan s_longestTurn = TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    public string Status => $"publishes {options.HostAddress} ({options.NodeName})";

    /// <inheritdoc/>
    public bool IsAlive => publisher.SinceLastTurn < s_longestTurn;

    /// <summary>At once: the hunter has no thread of its own, and nothing here depends on one.</summary>
    public void Invoke(Action work) => work();

    /// <summary>
    /// Files and clusters are followed all the time, and options need a restart: what is left are certificates that have been renewed.
    /// </summary>
    public void Reload()
    {
        try
        {
            client.ReadCertificates();
            log.CertificatesRead();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
        {
            log.CertificatesStay(exception.Message);
        }
    }
}
