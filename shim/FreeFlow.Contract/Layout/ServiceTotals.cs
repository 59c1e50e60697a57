using System.Runtime.InteropServices;

namespace FreeFlow.Contract.Layout;

/// <summary>What the ended connections of one service have carried, in the family table's first page.</summary>
[StructLayout(LayoutKind.Explicit, Size = FamilyLayout.ServiceBytes)]
public struct ServiceTotals
{
    /// <summary>A <see cref="KeyOf"/>; 0 if the place is free.</summary>
    [FieldOffset(0)] public uint Key;

    /// <summary>Connections that have ended.</summary>
    [FieldOffset(4)] public uint Ended;

    /// <summary>Those of them that a ring has carried bytes of.</summary>
    [FieldOffset(8)] public uint EndedInRing;

    [FieldOffset(16)] public ulong KernelSent;
    [FieldOffset(24)] public ulong KernelReceived;
    [FieldOffset(32)] public ulong RingSent;
    [FieldOffset(40)] public ulong RingReceived;

    /// <summary>The key of all services for which there is no place.</summary>
    public const uint Others = uint.MaxValue;

    private const uint Used = 1u << 31, IsServed = 1u << 16;

    /// <summary>
    /// The service of a connection: the lower of its two ports, which is the listener's unless both are out of the ephemeral range. Served here
    /// if that is the local one.
    /// </summary>
    public static uint KeyOf(ushort localPort, ushort remotePort) => localPort <= remotePort ? Used | IsServed | localPort : Used | remotePort;

    /// <summary>What a key says: the port, and whether it is this family's own. Port 0: all others.</summary>
    public static (ushort Port, bool Served) Read(uint key) => key == Others ? ((ushort)0, false) : ((ushort)key, (key & IsServed) != 0);
}
