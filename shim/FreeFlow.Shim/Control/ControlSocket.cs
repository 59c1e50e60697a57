using System;
using FreeFlow.Contract;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Control;

/// <summary>The packets of the control connection, with their descriptors (unix(7), SCM_RIGHTS). Never blocks.</summary>
internal static unsafe class ControlSocket
{
    public const int MaximumPath = 108;

    /// <summary>Where the router listens unless FREEFLOW_SOCKET says otherwise.</summary>
    public static ReadOnlySpan<byte> DefaultPath => "/run/freeflow/router.sock"u8;

    private const int AncillaryHeaderBytes = 16, ControlBytes = AncillaryHeaderBytes + (Protocol.MaximumDescriptors * sizeof(int)) + 4;

    /// <summary>Connects to the router; the descriptor (one of the shim's own), or −1.</summary>
    public static int Connect(byte* path)
    {
        byte* address = stackalloc byte[2 + MaximumPath];
        *(ushort*)address = Linux.AF_UNIX;
        int length = 0;
        if (path == null)
        {
            foreach (byte letter in DefaultPath) address[2 + length++] = letter;
        }
        else
        {
            while (path[length] != 0 && length < MaximumPath) { address[2 + length] = path[length]; length++; }
        }
        if (length >= MaximumPath) { Log.Line("FREEFLOW_SOCKET is longer than 107 bytes; staying on the kernel path\n"u8); return -1; }
        address[2 + length] = 0;
        int fd = Process.Libc->socket(Linux.AF_UNIX, Linux.SOCK_SEQPACKET | Linux.SOCK_CLOEXEC | Linux.SOCK_NONBLOCK, 0);
        if (fd < 0) return -1;
        if (Process.Libc->connect(fd, address, (uint)(3 + length)) != 0) { Process.Libc->close(fd); return -1; }
        return OwnDescriptors.Adopt(fd);
    }

    /// <summary>Sends one message with one descriptor (−1 for none). False if it could not be sent.</summary>
    public static bool Send(int control, ReadOnlySpan<byte> message, int descriptor) => Send(control, message, &descriptor, descriptor >= 0 ? 1 : 0);

    /// <summary>As the other one, with <paramref name="count"/> descriptors, at most <see cref="Protocol.MaximumDescriptors"/>.</summary>
    public static bool Send(int control, ReadOnlySpan<byte> message, int* descriptors, int count)
    {
        if (message.Length == 0) return false;
        fixed (byte* bytes = message)
        {
            IoVector vector = new() { Base = bytes, Length = (nuint)message.Length };
            byte* ancillary = stackalloc byte[ControlBytes];
            MessageHeader header = new() { Vectors = &vector, VectorCount = 1 };
            if (count > 0)
            {
                nuint bytesUsed = AncillaryHeaderBytes + ((nuint)count * sizeof(int));
                *(ulong*)ancillary = bytesUsed;
                *(int*)(ancillary + 8) = Linux.SOL_SOCKET;
                *(int*)(ancillary + 12) = Linux.SCM_RIGHTS;
                for (int i = 0; i < count; i++) ((int*)(ancillary + AncillaryHeaderBytes))[i] = descriptors[i];
                header.Control = ancillary;
                header.ControlLength = (bytesUsed + 7) & ~(nuint)7;
            }
            return Process.Libc->sendmsg(control, &header, Linux.MSG_DONTWAIT | Linux.MSG_NOSIGNAL) == message.Length;
        }
    }

    /// <summary>
    /// Receives one message: its length, 0 if the router has gone, −1 if there is none. Descriptors go to <paramref name="descriptors"/>
    /// (<see cref="Protocol.MaximumDescriptors"/> places) and belong to the caller, close-on-exec.
    /// </summary>
    public static int Receive(int control, Span<byte> message, int* descriptors, out int descriptorCount)
    {
        descriptorCount = 0;
        fixed (byte* bytes = message)
        {
            IoVector vector = new() { Base = bytes, Length = (nuint)message.Length };
            byte* ancillary = stackalloc byte[ControlBytes];
            MessageHeader header = new() { Vectors = &vector, VectorCount = 1, Control = ancillary, ControlLength = ControlBytes };
            nint length = Process.Libc->recvmsg(control, &header, Linux.MSG_DONTWAIT | Linux.MSG_CMSG_CLOEXEC);
            if (length < 0) return Process.Errno is Linux.EAGAIN or Linux.EINTR ? -1 : 0;
            if (header.ControlLength >= 16 && *(int*)(ancillary + 8) == Linux.SOL_SOCKET && *(int*)(ancillary + 12) == Linux.SCM_RIGHTS)
            {
                int count = (int)((*(ulong*)ancillary - 16) / sizeof(int));
                for (int i = 0; i < count; i++)
                {
                    int fd = ((int*)(ancillary + 16))[i];
                    if (descriptorCount < Protocol.MaximumDescriptors) descriptors[descriptorCount++] = fd;
                    else Process.Libc->close(fd);
                }
            }
            return (int)length;
        }
    }

    /// <summary>Closes what came from somebody who may not be the router. A socket could wait in close(2) for as long as its sender has set (SO_LINGER).</summary>
    public static void CloseStranger(int descriptor)
    {
        ulong never = 0;
        _ = Process.Libc->setsockopt(descriptor, Linux.SOL_SOCKET, Linux.SO_LINGER, &never, sizeof(ulong));
        Process.Libc->close(descriptor);
    }
}
