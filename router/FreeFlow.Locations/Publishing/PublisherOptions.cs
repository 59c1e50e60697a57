using System;

namespace FreeFlow.Locations.Publishing;

/// <summary>How keys are published.</summary>
public sealed record PublisherOptions
{
    /// <summary>A node that dies is gone from etcd after this (etcd looks twice a second): 10 s, so that 15 s hold with a change of etcd's leader.</summary>
    public TimeSpan LeaseTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Key that names the lease of this host's publisher; null: none. The next publisher of the host ends the lease of the one before it,
    /// so that what vanished between the two vanishes from etcd, at once.</summary>
    public string? OwnerKey { get; init; }

    /// <summary>For people who read the owner's key.</summary>
    public string? OwnerName { get; init; }

    /// <summary>True: everything is withdrawn when the publisher stops. False: it stays until the lease ends, for a successor to take over without a gap.</summary>
    public bool WithdrawOnStop { get; init; }
}
