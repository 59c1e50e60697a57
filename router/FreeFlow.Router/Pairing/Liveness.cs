namespace FreeFlow.Router.Pairing;

/// <summary>What the kernel says now about a socket that was shown earlier.</summary>
internal enum Liveness
{
    /// <summary>The very socket is still established with these addresses.</summary>
    Established,

    /// <summary>It is closed, closing, or its addresses belong to another socket now.</summary>
    Gone,

    /// <summary>The kernel could not be asked in that namespace.</summary>
    Unavailable,
}
