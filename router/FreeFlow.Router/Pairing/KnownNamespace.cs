using System;

namespace FreeFlow.Router.Pairing;

/// <summary>A network namespace that living sessions have shown sockets of. Its diagnosis socket keeps it alive, so it is dropped with the last of them.</summary>
internal sealed class KnownNamespace(NamespaceOwner owner, SocketDiagnosis? diagnosis, ConnectionTracking? tracking) : IDisposable
{
    /// <summary>Whose it is.</summary>
    public NamespaceOwner Owner { get; } = owner;

    /// <summary>Asks there; null if the router could not get in.</summary>
    public SocketDiagnosis? Diagnosis { get; } = diagnosis;

    /// <summary>Knows what is translated there; null if the router may not ask.</summary>
    public ConnectionTracking? Tracking { get; } = tracking;

    /// <summary>Sessions that have shown a socket of it.</summary>
    public int Sessions { get; set; }

    public void Dispose()
    {
        Diagnosis?.Dispose();
        Tracking?.Dispose();
    }
}
