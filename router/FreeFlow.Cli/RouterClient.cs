using System;
using FreeFlow.Contract;
using FreeFlow.Contract.Messages;
using FreeFlow.Native;

namespace FreeFlow.Cli;

/// <summary>Asks the router over its socket.</summary>
internal static unsafe class RouterClient
{
    private const int TimeoutSeconds = 5;
    private const ulong LargestStatus = 1UL << 30;

    /// <summary>The status as JSON in UTF-8; throws <see cref="CommandException"/> with one line if there is none.</summary>
    public static byte[] AskStatus(string path)
    {
        int router = SeqPacket.Connect(path);
        if (router < 0) throw Unreachable(path);
        Span<int> received = stackalloc int[Protocol.MaximumDescriptors];
        int count = 0;
        try
        {
            long* timeout = stackalloc long[2] { TimeoutSeconds, 0 };
            Libc.setsockopt(router, Libc.SOL_SOCKET, Libc.SO_RCVTIMEO, timeout, 16);
            Span<byte> packet = stackalloc byte[Protocol.MaximumMessageBytes];
            int length = new StatusRequest { ProtocolVersion = Protocol.Version }.Write(packet);
            if (!SeqPacket.Send(router, packet[..length], [])) throw new CommandException($"status: the router at {path} does not take the question ({Errno.LastText}).");
            length = SeqPacket.Receive(router, packet, received, out count, out bool truncated, 0);
            if (length < 0) throw new CommandException($"status: the router at {path} does not answer ({Errno.LastText}).");
            if (truncated || count != 1 || !StatusReply.TryRead(packet[..length], out StatusReply reply) || reply.Bytes > LargestStatus)
            {
                throw new CommandException($"status: the router at {path} gives no answer that this version understands; its log says why.");
            }
            return Read(received[0], (int)reply.Bytes);
        }
        finally
        {
            foreach (int descriptor in received[..count]) Libc.close(descriptor);
            Libc.close(router);
        }
    }

    private static byte[] Read(int memory, int length)
    {
        byte[] content = new byte[length];
        int position = 0;
        fixed (byte* bytes = content)
        {
            while (position < length)
            {
                int step = (int)Libc.pread(memory, bytes + position, (nuint)(length - position), position);
                if (step <= 0) throw new CommandException("status: the router's answer is shorter than it says.");
                position += step;
            }
        }
        return content;
    }

    private static CommandException Unreachable(string path) => Errno.Last switch
    {
        Errno.ENOENT => new CommandException($"status: no router at {path}: start freeflow-router, or name its socket with --router or FREEFLOW_SOCKET."),
        Errno.ECONNREFUSED => new CommandException($"status: no router answers at {path}, it has stopped: start freeflow-router again."),
        Errno.EACCES => new CommandException($"status: {path} may not be reached by this user: its folder must be open to them."),
        _ => new CommandException($"status: no router at {path} ({Errno.LastText}): start freeflow-router, or name its socket with --router."),
    };
}
