using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Fabric;

/// <summary>Who this router is to the others, and how it knows them.</summary>
internal sealed record FabricOptions
{
    public const int DefaultPort = 4799;

    /// <summary>This host's address on the network between the hosts.</summary>
    public required InternetAddress Host { get; init; }

    /// <summary>TCP port to listen at.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>PEM file of the authority that signs the routers' certificates.</summary>
    public string? AuthorityPath { get; init; }

    /// <summary>PEM file of this router's certificate, which names <see cref="Host"/> as an alternative name.</summary>
    public string? CertificatePath { get; init; }

    /// <summary>PEM file of its private key.</summary>
    public string? KeyPath { get; init; }

    /// <summary>Congestion control of the links; null: the host's own where that fits (<see cref="Links.CongestionControl"/>).</summary>
    public string? Congestion { get; init; }

    /// <summary>No certificates, for a laboratory: a router is believed to be at the address it calls from.</summary>
    public bool Insecure { get; init; }
}
