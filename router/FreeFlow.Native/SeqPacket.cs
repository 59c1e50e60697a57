using System;

namespace FreeFlow.Native;

/// <summary>Packets with descriptors over AF_UNIX SOCK_SEQPACKET (unix(7)). Descriptors are plain numbers that the caller closes.</summary>
public static unsafe class SeqPacket
{
    /// <summary>What the kernel lets one message carry (SCM_MAX_FD, unix(7)).</summary>
    public const int MostDescriptors = 253;

    private const int ControlHeaderBytes = 16;
    private const int ControlCapacity = ControlHeaderBytes + (MostDescriptors * sizeof(int)) + 4;

    /// <summary>
    /// Connects to the socket file at <paramref name="path"/>; -1 with errno if nobody answers there. <paramref name="flags"/>: 0 or
    /// SOCK_NONBLOCK.
    /// </summary>
    public static int Connect(string path, int flags = 0)
    {
        if (!UnixAddress.TryMake(path, out UnixAddress address))
        {
            System.Runtime.InteropServices.Marshal.SetLastPInvokeError(path.Length == 0 ? Errno.ENOENT : Errno.ENAMETOOLONG);
            return -1;
        }
        int fd = Libc.socket(Libc.AF_UNIX, Libc.SOCK_SEQPACKET | Libc.SOCK_CLOEXEC | flags, 0);
        if (fd < 0) return -1;
        if (Libc.connect(fd, &address, (uint)sizeof(UnixAddress)) == 0) return fd;
        int error = Errno.Last;
        Libc.close(fd);
        System.Runtime.InteropServices.Marshal.SetLastPInvokeError(error);
        return -1;
    }

    /// <summary>Sends one packet without waiting; false with errno if it did not go.</summary>
    public static bool Send(int fd, ReadOnlySpan<byte> packet, ReadOnlySpan<int> descriptors)
    {
        byte* control = stackalloc byte[ControlCapacity];
        nuint controlLength = 0;
        if (!descriptors.IsEmpty)
        {
            controlLength = (nuint)(ControlHeaderBytes + (descriptors.Length * sizeof(int)));
            *(nuint*)control = controlLength;
            ((int*)control)[2] = Libc.SOL_SOCKET;
            ((int*)control)[3] = Libc.SCM_RIGHTS;
            descriptors.CopyTo(new Span<int>(control + ControlHeaderBytes, descriptors.Length));
            controlLength = (controlLength + 7) & ~(nuint)7;
        }
        fixed (byte* bytes = packet)
        {
            IoVector vector = new() { Base = bytes, Length = (nuint)packet.Length };
            MessageHeader header = new() { Vectors = &vector, VectorCount = 1, Control = controlLength == 0 ? null : control, ControlLength = controlLength };
            return Libc.sendmsg(fd, &header, Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL) == packet.Length;
        }
    }

    /// <summary>
    /// Receives one packet. Returns its length, 0 at the end of the stream, -1 with errno. <paramref name="truncated"/>: packet or descriptors were
    /// more than fits; descriptors beyond <paramref name="descriptors"/> are closed.
    /// </summary>
    public static int Receive(int fd, Span<byte> packet, Span<int> descriptors, out int descriptorCount, out bool truncated, int flags)
    {
        int length = Receive(fd, packet, descriptors, out descriptorCount, out truncated, out bool lost, flags);
        truncated |= lost;
        return length;
    }

    /// <summary>As the other one; <paramref name="lost"/>: the kernel could not give this process all descriptors, because it has no numbers left for them (or the sender's are not allowed here).</summary>
    public static int Receive(int fd, Span<byte> packet, Span<int> descriptors, out int descriptorCount, out bool truncated, out bool lost, int flags)
    {
        descriptorCount = 0;
        truncated = lost = false;
        byte* control = stackalloc byte[ControlCapacity];
        fixed (byte* bytes = packet)
        {
            IoVector vector = new() { Base = bytes, Length = (nuint)packet.Length };
            MessageHeader header = new() { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = ControlCapacity };
            int length = (int)Libc.recvmsg(fd, &header, flags | Libc.MSG_CMSG_CLOEXEC);
            if (length < 0) return -1;
            truncated = (header.Flags & Libc.MSG_TRUNC) != 0;
            lost = (header.Flags & Libc.MSG_CTRUNC) != 0;
            TakeDescriptors(control, header.ControlLength, descriptors, ref descriptorCount, ref truncated);
            return length;
        }
    }

    private static void TakeDescriptors(byte* control, nuint controlLength, Span<int> descriptors, ref int count, ref bool truncated)
    {
        nuint position = 0;
        while (position + ControlHeaderBytes <= controlLength)
        {
            nuint length = *(nuint*)(control + position);
            if (length < ControlHeaderBytes || length > controlLength - position) return;
            if (((int*)(control + position))[2] == Libc.SOL_SOCKET && ((int*)(control + position))[3] == Libc.SCM_RIGHTS)
            {
                foreach (int received in new ReadOnlySpan<int>(control + position + ControlHeaderBytes, (int)((length - ControlHeaderBytes) / sizeof(int))))
                {
                    if (count < descriptors.Length) descriptors[count++] = received;
                    else { Libc.close(received); truncated = true; }
                }
            }
            position += (length + 7) & ~(nuint)7;
        }
    }
}
