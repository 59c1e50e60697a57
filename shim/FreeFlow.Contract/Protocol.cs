namespace FreeFlow.Contract;

/// <summary>Constants of the control protocol between a shim and its router.</summary>
/// <remarks>
/// Transport: one <c>AF_UNIX</c> <c>SOCK_SEQPACKET</c> connection per process; one packet is one message; descriptors travel beside it
/// as <c>SCM_RIGHTS</c> (unix(7)). Every message is one MessagePack array whose element 0 is the <see cref="MessageType"/>.
/// A message of another length, type or version than written here is refused whole.
/// </remarks>
public static class Protocol
{
    /// <summary>Version of the messages. Both sides must name the same one in Hello and Welcome.</summary>
    public const uint Version = 7;

    /// <summary>No control message is longer, in bytes.</summary>
    public const int MaximumMessageBytes = 512;

    /// <summary>No control message carries more descriptors.</summary>
    public const int MaximumDescriptors = 2;

    /// <summary>Longest program or container name in a Hello, in UTF-8 bytes.</summary>
    public const int MaximumNameBytes = 64;

    /// <summary>Where the router listens unless told otherwise.</summary>
    public const string DefaultSocketPath = "/run/freeflow/router.sock";
}
