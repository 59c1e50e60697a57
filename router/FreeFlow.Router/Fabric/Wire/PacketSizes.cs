using FreeFlow.Native;

namespace FreeFlow.Router.Fabric.Wire;

/// <summary>How the kernel cuts a TCP stream into packets: of as many whole segments as segmentation offload may take at once (tcp_xmit_size_goal).</summary>
internal static unsafe class PacketSizes
{
    /// <summary>The 64 KiB of a packet, less the room that the kernel keeps for its headers (MAX_TCP_HEADER).</summary>
    private const uint OffloadBytes = 65536 - 320 - 1;

    /// <summary>The most bytes, at most <paramref name="most"/>, that fill packets of this socket exactly; <paramref name="most"/> itself where that is not known.</summary>
    public static uint FullPackets(int socket, uint most)
    {
        uint segment = 0, length = sizeof(uint);
        if (Libc.getsockopt(socket, Libc.IPPROTO_TCP, Libc.TCP_MAXSEG, &segment, &length) != 0) return most;
        return FullPackets(segment, most);
    }

    /// <summary>The same for segments of so many bytes.</summary>
    public static uint FullPackets(uint segment, uint most)
    {
        if (segment == 0 || segment > most) return most;
        uint packet = segment < OffloadBytes ? OffloadBytes / segment * segment : segment;
        return most / packet * packet;
    }
}
