namespace FreeFlow.Router.Cluster;

/// <summary>Where the router learns which host a virtual IP lives on.</summary>
internal enum LocationSource
{
    /// <summary>Nowhere: there is one host.</summary>
    None,

    /// <summary>A watched file.</summary>
    File,

    /// <summary>etcd, all of them.</summary>
    Etcd,

    /// <summary>etcd, only those that are used.</summary>
    EtcdUsed,
}
