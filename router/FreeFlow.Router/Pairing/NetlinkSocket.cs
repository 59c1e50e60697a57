using System;
using System.Buffers.Binary;
using FreeFlow.Native;

namespace FreeFlow.Router.Pairing;

/// <summary>A netlink socket that asks one question at a time (netlink(7)). One thread.</summary>
internal sealed unsafe class NetlinkSocket : IDisposable
{
    /// <summary>struct nlmsghdr: length, type, flags, sequence number, port.</summary>
    public const int HeaderBytes = 16;

    public const ushort Error = 2, Done = 3, FlagRequest = 1, FlagDump = 0x300;

    private readonly int _socket;
    private uint _sequence;

    private NetlinkSocket(int socket) => _socket = socket;

    /// <summary>Opens one in the calling thread's network namespace; null if the kernel has none of this protocol.</summary>
    public static NetlinkSocket? Open(int protocol)
    {
        int socket = Libc.socket(Libc.AF_NETLINK, Libc.SOCK_RAW | Libc.SOCK_CLOEXEC, protocol);
        if (socket < 0) return null;
        long* timeout = stackalloc long[2] { 1, 0 }; // the kernel answers at once; this only keeps the loop from ever hanging
        Libc.setsockopt(socket, Libc.SOL_SOCKET, Libc.SO_RCVTIMEO, timeout, 16);
        return new NetlinkSocket(socket);
    }

    /// <summary>Begins a message that is as long as <paramref name="request"/>; what follows the header is the caller's.</summary>
    public void WriteHeader(Span<byte> request, ushort type, int flags)
    {
        BinaryPrimitives.WriteInt32LittleEndian(request, request.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(request[4..], type);
        BinaryPrimitives.WriteUInt16LittleEndian(request[6..], (ushort)flags);
        BinaryPrimitives.WriteUInt32LittleEndian(request[8..], ++_sequence);
    }

    /// <summary>The type of a message of at least <see cref="HeaderBytes"/>.</summary>
    public static ushort TypeOf(ReadOnlySpan<byte> message) => BinaryPrimitives.ReadUInt16LittleEndian(message[4..]);

    /// <summary>Sends the message that was begun last, and returns the length of the answer with its sequence number, or -1.</summary>
    public int Exchange(ReadOnlySpan<byte> request, Span<byte> answer)
    {
        fixed (byte* sent = request)
        fixed (byte* received = answer)
        {
            if (Libc.send(_socket, sent, (nuint)request.Length, 0) != request.Length) return -1;
            while (true)
            {
                int length = (int)Libc.recv(_socket, received, (nuint)answer.Length, 0);
                if (length < 0 && Errno.Last == Errno.EINTR) continue;
                if (length < HeaderBytes) return -1;
                if (BinaryPrimitives.ReadUInt32LittleEndian(answer[8..]) == _sequence) return length;
            }
        }
    }

    public void Dispose() => Libc.close(_socket);
}
