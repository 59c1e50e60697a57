namespace FreeFlow.Bench.Hosts;

/// <summary>How bytes travel from one host's program to another's.</summary>
public enum HostRoad
{
    /// <summary>Plain programs in containers, over the kernel's TCP in the vxlan overlay.</summary>
    Overlay,

    /// <summary>Plain programs on the hosts themselves, over the kernel's TCP between these.</summary>
    Host,

    /// <summary>The programs in containers under <c>freeflow run</c>, routers without certificates.</summary>
    Fabric,

    /// <summary>The same, routers with mutual TLS.</summary>
    SecureFabric,
}
