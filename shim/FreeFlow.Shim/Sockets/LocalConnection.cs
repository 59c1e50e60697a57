namespace FreeFlow.Shim.Sockets;

/// <summary>This process's share of a connection of the family. Private to the process.</summary>
internal struct LocalConnection
{
    /// <summary>First descriptor of this process that refers to the connection, plus one; 0 if none does.</summary>
    public int FirstDescriptor;

    /// <summary>Threads of this process that sleep in a send or receive on the connection.</summary>
    public int Sleepers;

    /// <summary>Hidden descriptor of a connection that was closed while they slept, plus one; see <see cref="Orphans"/>.</summary>
    public int Orphan;

    /// <summary>Next connection with the same doorbell, plus one; 0 if there is none. See <see cref="DoorbellMates"/>.</summary>
    public uint NextMate;

    /// <summary>The reader's buffer, as it was when the sender's share of the ring was last reckoned (<see cref="BufferSizes"/>).</summary>
    public uint ReaderBuffer;

    /// <summary>
    /// Registrations in epoll sets that outlive this process's last descriptor (<see cref="Readiness.Registrations.RemoveBodiless()"/>); what follows is theirs, as it
    /// was in the record then.
    /// </summary>
    public int Bodiless;
    public uint Generation;
    public ulong Ring;
    public ulong Capacity;
    public uint Side;
    public int Doorbell;
}
