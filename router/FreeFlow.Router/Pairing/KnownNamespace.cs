namespace FreeFlow.Router.Pairing;

/// <summary>A network namespace that living sessions have shown sockets of. Its diagnosis socket keeps it alive, so it is dropped with the last of them.</summary>
internal sealed class KnownNamespace(NamespaceOwner owner, SocketDiagnosis? diagnosis)
{
    /// <summary>Whose it is.</summary>
    public NamespaceOwner Owner { get; } = owner;

    /// <summary>Asks there; null if the router could not get in.</summary>
    public SocketDiagnosis? Diagnosis { get; } = diagnosis;

    /// <summary>Sessions that have shown a socket of it.</summary>
    public int Sessions { get; set; }
}
