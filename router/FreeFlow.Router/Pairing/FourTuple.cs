namespace FreeFlow.Router.Pairing;

/// <summary>A connection's addresses as one end sees them.</summary>
internal readonly record struct FourTuple(InternetEndpoint Local, InternetEndpoint Remote)
{
    /// <summary>The same connection as the other end sees it.</summary>
    public FourTuple Mirrored => new(Remote, Local);

    /// <summary>True if an address means something only inside its own network namespace.</summary>
    public bool IsLocalToNamespace => Local.Address.IsLocalToNamespace || Remote.Address.IsLocalToNamespace;

    public override string ToString() => $"{Local} -> {Remote}";
}
