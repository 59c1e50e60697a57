using System;
using System.Buffers;
using FreeFlow.Contract;
using FreeFlow.Contract.Messages;
using FreeFlow.Native;

namespace FreeFlow.Cli;

/// <summary>Asks the router over its socket.</summary>
internal static unsafe class RouterClient
{
    private const int TimeoutSeconds = 5;
    private const int LargestStatus = 1 << 30, AtATime = 65536;

    /// <summary>The status as JSON in UTF-8; throws <see cref="CommandException"/> with one line if there is none.</summary>
    public static byte[] AskStatus(string path)
    {
        int router = SeqPacket.Connect(path);
        if (router < 0) throw Unreachable(path);
        int answer = -1;
        try
        {
            SetTimeout(router);
            Span<byte> packet = stackalloc byte[Protocol.MaximumMessageBytes];
            int length = new Hello { ProtocolVersion = Protocol.Version }.Write(packet);
            // What the router shows of itself does not matter here: nothing is shown to it.
            int itself = Ask(path, router, packet[..length], packet, out length);
            if (itself >= 0) Libc.close(itself);
            length = new StatusRequest { Version = StatusRequest.CurrentVersion }.Write(packet);
            answer = Ask(path, router, packet[..length], packet, out length);
            if (answer < 0 || !StatusReply.TryRead(packet[..length], out _))
            {
                throw new CommandException($"status: the router at {path} gives no answer that this version understands; its log says why.");
            }
            SetTimeout(answer);
            return Read(path, answer);
        }
        finally
        {
            if (answer >= 0) Libc.close(answer);
            Libc.close(router);
        }
    }

    /// <summary>Sends a question and waits for the answer; its descriptor, or −1 if it has none.</summary>
    private static int Ask(string path, int router, ReadOnlySpan<byte> question, Span<byte> answer, out int length)
    {
        Span<int> received = stackalloc int[Protocol.MaximumDescriptors];
        if (!SeqPacket.Send(router, question, [])) throw new CommandException($"status: the router at {path} does not take the question ({Errno.LastText}).");
        length = SeqPacket.Receive(router, answer, received, out int count, out _, 0);
        if (length < 0) throw new CommandException($"status: the router at {path} does not answer ({Errno.LastText}).");
        for (int i = 1; i < count; i++) Libc.close(received[i]);
        return count > 0 ? received[0] : -1;
    }

    private static void SetTimeout(int socket)
    {
        long* timeout = stackalloc long[2] { TimeoutSeconds, 0 };
        Libc.setsockopt(socket, Libc.SOL_SOCKET, Libc.SO_RCVTIMEO, timeout, 16);
    }

    /// <summary>All that comes. A router that gives up ends it in the middle.</summary>
    private static byte[] Read(string path, int answer)
    {
        ArrayBufferWriter<byte> content = new(AtATime);
        while (content.WrittenCount < LargestStatus)
        {
            Span<byte> room = content.GetSpan(AtATime);
            nint step;
            fixed (byte* bytes = room) step = Libc.recv(answer, bytes, (nuint)room.Length, 0);
            if (step < 0 && Errno.Last == Errno.EINTR) continue;
            if (step < 0) throw new CommandException($"status: the router at {path} does not go on with its answer ({Errno.LastText}).");
            if (step == 0) break;
            content.Advance((int)step);
        }
        if (content.WrittenCount == 0 || content.WrittenSpan[^1] != (byte)'}') throw new CommandException($"status: the router at {path} has not come to the end of its answer; ask again.");
        return content.WrittenSpan.ToArray();
    }

    private static CommandException Unreachable(string path) => Errno.Last switch
    {
        Errno.ENOENT => new CommandException($"status: no router at {path}: start freeflow-router, or name its socket with --router or FREEFLOW_SOCKET."),
        Errno.ECONNREFUSED => new CommandException($"status: no router answers at {path}, it has stopped: start freeflow-router again."),
        Errno.EACCES => new CommandException($"status: {path} may not be reached by this user: its folder must be open to them."),
        _ => new CommandException($"status: no router at {path} ({Errno.LastText}): start freeflow-router, or name its socket with --router."),
    };
}
