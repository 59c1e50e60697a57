namespace FreeFlow.Shim.Sockets;

/// <summary>This process's share of a connection of the family. Private to the process.</summary>
internal struct LocalConnection
{
    /// <summary>First descriptor of this process that refers to the connection, plus one; 0 if none does.</summary>
    public int FirstDescriptor;

    /// <summary>Mailbox count at the last look for a lost session.</summary>
    public uint Glances;
}
