using System;
using System.IO;
using System.Security.Cryptography;
using System.Text;
using FreeFlow.Locations;
using FreeFlow.Locations.Etcd;
using FreeFlow.Locations.Publishing;
using FreeFlow.Router.Logging;

namespace FreeFlow.Router.Cluster;

/// <summary>This router among those of the other hosts: where virtual IPs live, who this host is, and what the others read about it in etcd.</summary>
internal sealed class ClusterMembership : IDisposable
{
    private readonly EtcdClient? _etcd;
    private readonly Publisher? _publisher;
    private readonly Log _log;

    /// <summary>Opens the source; throws <see cref="RouterException"/> with one line for files that are missing or wrong. <see cref="Start"/> begins to learn.</summary>
    public ClusterMembership(ClusterOptions options, Log log)
    {
        _log = log;
        Host = options.Host;
        switch (options.Source)
        {
            case LocationSource.None:
                Locations = new NoLocations();
                break;
            case LocationSource.File:
                Locations = new FileLocations(options.Path, log.Line);
                break;
            default:
                _etcd = Open(options.Etcd);
                Locations = options.Source == LocationSource.Etcd ? new EtcdLocations(_etcd, log.Line) : new EtcdUsedLocations(_etcd, log.Line);
                if (Host == default) Host = OwnAddress.Towards(options.Etcd.Endpoints[0]) ?? default;
                // A router that has stopped is not reachable: nobody shall try until a lease ends.
                if (Host != default) _publisher = new(_etcd, new PublisherOptions { WithdrawOnStop = true }, log.Line);
                break;
        }
    }

    /// <summary>Which host a virtual IP lives on.</summary>
    public ILocations Locations { get; }

    /// <summary>This host's address as the others see it; default if it is not known, and then no other router can reach this one.</summary>
    public Address Host { get; }

    /// <summary>What etcd has of ours; null: nothing is published.</summary>
    public PublisherStatus? Published => _publisher?.Status;

    /// <summary>Begins to learn, and to publish; returns at once.</summary>
    public void Start()
    {
        Locations.Start();
        _publisher?.Complete();
        _publisher?.Start();
        if (_etcd is not null && _publisher is null) _log.HostUnknown();
    }

    /// <summary>What the other routers shall know about this one, under our lease. May be called again when it changes.</summary>
    public void Publish(RouterDescription description) => _publisher?.Want(LocationKeys.RouterPrefix + Host, Encoding.UTF8.GetString(description.ToJson()), newer: true);

    /// <summary>Reads etcd's TLS files again, for connections that are made from now on; throws <see cref="RouterException"/> if they cannot be read.</summary>
    public void ReadCertificates()
    {
        try { _etcd?.ReadCertificates(); }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new RouterException($"etcd's TLS files: {exception.Message}");
        }
    }

    public void Dispose()
    {
        Locations.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _publisher?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _etcd?.Dispose();
    }

    private static EtcdClient Open(EtcdOptions options)
    {
        try { return new(options); }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new RouterException($"etcd's TLS files: {exception.Message}");
        }
    }
}
