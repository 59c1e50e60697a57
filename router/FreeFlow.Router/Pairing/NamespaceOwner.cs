namespace FreeFlow.Router.Pairing;

/// <summary>Whose a network namespace is: what its addresses are worth as a proof outside it.</summary>
internal enum NamespaceOwner
{
    /// <summary>The kernel would not say (the router lacks CAP_NET_ADMIN there).</summary>
    Unknown,

    /// <summary>The router's own user namespace: only the host's root could give it its addresses.</summary>
    Host,

    /// <summary>Another user namespace: whoever made that one may give the network namespace any address.</summary>
    Other,
}
