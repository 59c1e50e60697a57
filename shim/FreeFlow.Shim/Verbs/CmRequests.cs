using System;
using FreeFlow.Contract;
using FreeFlow.Contract.Messages;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Verbs;

/// <summary>What the connection manager asks the router. Answers are 0 or an errno.</summary>
internal static unsafe class CmRequests
{
    public static int Command(uint channel, uint identifier, CmCommand command, ulong argument, out ulong value)
    {
        value = 0;
        uint sequence = VerbsSession.Begin();
        if (sequence == 0) return Numbers.EIO;
        byte* buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        Span<byte> room = new(buffer, Protocol.MaximumMessageBytes);
        VerbsCmCommand request = new() { Sequence = sequence, Channel = channel, Identifier = identifier, Command = (uint)command, Argument = argument };
        int error = VerbsSession.AskPlain(room[..request.Write(room)], sequence, null, 0, out value);
        VerbsSession.End();
        return error;
    }

    /// <summary>A command that may take the channel's last events back: its descriptor says so at once.</summary>
    public static int Quietening(int fd, uint channel, uint identifier, CmCommand command, ulong argument, out uint fetched)
    {
        fetched = 0;
        uint sequence = VerbsSession.Begin();
        if (sequence == 0) return Numbers.EIO;
        byte* buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        Span<byte> room = new(buffer, Protocol.MaximumMessageBytes);
        VerbsCmCommand request = new() { Sequence = sequence, Channel = channel, Identifier = identifier, Command = (uint)command, Argument = argument };
        int error = VerbsSession.AskPlain(room[..request.Write(room)], sequence, null, 0, out ulong value);
        byte told;
        if (error == 0 && (value & VerbsProtocol.CmHasNoMoreEvents) != 0) Process.Libc->recv(fd, &told, 1, Linux.MSG_DONTWAIT);
        VerbsSession.End();
        fetched = (uint)value;
        return error;
    }

    public static int Create(uint channel, ulong user, uint space, uint kind, out uint identifier)
    {
        identifier = 0;
        uint sequence = VerbsSession.Begin();
        if (sequence == 0) return Numbers.EIO;
        byte* buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        Span<byte> room = new(buffer, Protocol.MaximumMessageBytes);
        VerbsCmCreate request = new() { Sequence = sequence, Channel = channel, User = user, Space = space, Kind = kind };
        int error = VerbsSession.AskPlain(room[..request.Write(room)], sequence, null, 0, out ulong value);
        VerbsSession.End();
        identifier = (uint)value;
        return error;
    }

    /// <summary>Shows a socket of this process's network beside.</summary>
    public static int Name(uint channel, uint identifier, uint action, in CmAddress own, in CmAddress peer, int status, int socket)
    {
        uint sequence = VerbsSession.Begin();
        if (sequence == 0) return Numbers.EIO;
        byte* buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        Span<byte> room = new(buffer, Protocol.MaximumMessageBytes);
        VerbsCmAddress request = new()
        {
            Sequence = sequence, Channel = channel, Identifier = identifier, Action = action, OwnHigh = own.High, OwnLow = own.Low, OwnPort = own.Port,
            PeerHigh = peer.High, PeerLow = peer.Low, PeerPort = peer.Port, Status = (uint)status,
        };
        int error = VerbsSession.AskPlain(room[..request.Write(room)], sequence, &socket, 1, out _);
        VerbsSession.End();
        return error;
    }

    /// <summary>Connect, accept or reject; the private data must not be longer than the contract says.</summary>
    public static int Connect(uint channel, uint identifier, uint action, ulong user, uint number, uint queueKey, ulong parameters, ReadOnlySpan<byte> data)
    {
        if (data.Length > VerbsProtocol.MaximumPrivateBytes) return Linux.EINVAL;
        uint sequence = VerbsSession.Begin();
        if (sequence == 0) return Numbers.EIO;
        byte* buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        Span<byte> room = new(buffer, Protocol.MaximumMessageBytes);
        VerbsCmConnect request = new()
        {
            Sequence = sequence, Channel = channel, Identifier = identifier, Action = action, User = user, Number = number & VerbsProtocol.MaximumQueuePairNumber,
            QueueKey = queueKey, Parameters = parameters, PrivateData = data,
        };
        int error = VerbsSession.AskPlain(room[..request.Write(room)], sequence, null, 0, out _);
        VerbsSession.End();
        return error;
    }

    public static int Query(uint channel, uint identifier, out VerbsCmState state)
    {
        state = default;
        uint sequence = VerbsSession.Begin();
        if (sequence == 0) return Numbers.EIO;
        byte* buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        Span<byte> room = new(buffer, Protocol.MaximumMessageBytes);
        int length = Ask(room, new VerbsCmCommand { Sequence = sequence, Channel = channel, Identifier = identifier, Command = (uint)CmCommand.Query });
        int error = length > 0 && VerbsCmState.TryRead(room[..length], out state) && state.Sequence == sequence ? 0 : Status(room, length, sequence);
        VerbsSession.End();
        return error;
    }

    /// <summary>
    /// The channel's oldest event, in <paramref name="room"/>; EAGAIN if there is none. Whoever takes the byte from the socket tells the router so before
    /// anybody else can.
    /// </summary>
    public static int Next(int fd, uint channel, Span<byte> room, out VerbsCmEvent oldest)
    {
        oldest = default;
        uint sequence = VerbsSession.Begin();
        if (sequence == 0) return Numbers.EIO;
        byte told;
        int error = Linux.EAGAIN;
        if (Process.Libc->recv(fd, &told, 1, Linux.MSG_DONTWAIT) == 1)
        {
            int length = Ask(room, new VerbsCmCommand { Sequence = sequence, Channel = channel, Command = (uint)CmCommand.NextEvent });
            error = length > 0 && VerbsCmEvent.TryRead(room[..length], out oldest) && oldest.Sequence == sequence ? 0 : Status(room, length, sequence);
        }
        VerbsSession.End();
        return error;
    }

    private static int Ask(Span<byte> room, in VerbsCmCommand request)
    {
        int* got = stackalloc int[VerbsSession.MostDescriptors];
        int length = VerbsSession.Ask(room[..request.Write(room)], null, 0, room, got, out int count);
        VerbsSession.Close(got, count);
        return length;
    }

    private static int Status(ReadOnlySpan<byte> room, int length, uint sequence)
    {
        if (length > 0 && VerbsReply.TryRead(room[..length], out VerbsReply reply) && reply.Sequence == sequence && reply.Status != 0) return (int)reply.Status;
        VerbsSession.Lose();
        return Numbers.EIO;
    }
}
