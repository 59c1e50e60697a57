using System;
using FreeFlow.Contract;
using FreeFlow.Contract.Messages;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>
/// The kernel's side of /dev/infiniband/rdma_cm (rdma/rdma_user_cm.h, version 4): a program's librdmacm writes commands to it, whose answers lie in its memory when write(2) returns.
/// What they mean is the router's to know.
/// </summary>
internal static unsafe class CmDevice
{
    private const int HeaderBytes = 8, MostCommandBytes = 512;
    private const uint Bind = 0, Resolve = 1, OneOfAll = 2, Connect = 0, Accept = 1, Reject = 2;

    // Offsets in struct rdma_ucm_conn_param.
    private const int QueueKey = 4, Data = 8, DataLength = 264, SharedReceives = 265, ResponderResources = 266, InitiatorDepth = 267, FlowControl = 268, RetryCount = 269, RnrRetryCount = 270, IsValid = 271;

    /// <summary>write(2).</summary>
    public static nint Write(int fd, byte* buffer, nuint count)
    {
        byte* command = stackalloc byte[MostCommandBytes];
        new Span<byte>(command, MostCommandBytes).Clear();
        if (count < HeaderBytes) return Process.Result(-Linux.EINVAL);
        if (!CallerMemory.TryRead(buffer, command, count < MostCommandBytes ? count : MostCommandBytes)) return Process.Result(-Linux.EFAULT);
        uint number = *(uint*)command, given = *(ushort*)(command + 4), room = *(ushort*)(command + 6);
        if (given + HeaderBytes > count) return Process.Result(-Linux.EINVAL);
        // What the command does not have is zero.
        if (given + HeaderBytes < MostCommandBytes) new Span<byte>(command + HeaderBytes + given, (int)(MostCommandBytes - HeaderBytes - given)).Clear();
        int error = Do(fd, number, command + HeaderBytes, room);
        return error == 0 ? (nint)count : Process.Result(-error);
    }

    private static int Do(int fd, uint number, byte* at, uint room)
    {
        uint channel = CmChannels.NumberOf(fd);
        if (channel == 0) return Numbers.EIO;
        switch (number)
        {
            case 0: return Create(channel, at);
            case 1: return Quieten(fd, channel, *(uint*)(at + 8), CmCommand.Destroy, 0, *(void**)at);
            case 2: return BindTo(channel, *(uint*)(at + 36), at + 8);
            case 3: return ResolveAddress(channel, *(uint*)(at + 56), at, at + 28);
            case 4: return CmRequests.Command(channel, *(uint*)at, CmCommand.ResolveRoute, 0, out _);
            case 5: return CmAnswers.Route(channel, *(uint*)(at + 8), *(void**)at, room);
            case 6: return *(at + IsValid) == 0 ? Linux.EINVAL : Ask(channel, *(uint*)(at + 272), Connect, 0, at);
            case 7: return Listen(channel, *(uint*)at, *(uint*)(at + 4));
            case 8: return *(at + 8 + IsValid) == 0 ? CmRequests.Command(channel, *(uint*)(at + 280), CmCommand.Establish, 0, out _) : Ask(channel, *(uint*)(at + 280), Accept, *(ulong*)at, at + 8);
            case 9: return CmRequests.Connect(channel, *(uint*)at, Reject, 0, at[5], 0, 0, new ReadOnlySpan<byte>(at + 8, at[4]));
            case 10: return CmRequests.Command(channel, *(uint*)at, CmCommand.Disconnect, 0, out _);
            case 11: return CmAnswers.QueuePairAttributes(channel, *(uint*)(at + 8), *(uint*)(at + 12), *(void**)at, room);
            case 12: return NextEvent(fd, channel, *(void**)at, room);
            case 14: return SetOption(channel, at);
            case 15: return CmRequests.Command(channel, *(uint*)at, CmCommand.Notify, *(uint*)(at + 4), out _);
            case 16: case 17: return Linux.EOPNOTSUPP; // multicast
            case 18: return Migrate(channel, *(uint*)(at + 8), *(int*)(at + 12), *(void**)at);
            // The rest came with AF_IB, which no RoCE device needs: librdmacm asks once, and does without.
            default: return number > 22 ? Linux.EINVAL : Linux.ENOSYS;
        }
    }

    private static int Create(uint channel, byte* at)
    {
        uint space = *(ushort*)(at + 16), kind = at[18];
        if (space is not (VerbsProtocol.PortSpaceTcp or VerbsProtocol.PortSpaceUdp or VerbsProtocol.PortSpaceIpoib or VerbsProtocol.PortSpaceIb)) return Linux.EINVAL;
        if (space != VerbsProtocol.PortSpaceIb) kind = space == VerbsProtocol.PortSpaceTcp ? Ibv.QptRc : Ibv.QptUd;
        if (kind is not (Ibv.QptRc or Ibv.QptUc or Ibv.QptUd)) return Linux.EOPNOTSUPP;
        int error = CmRequests.Create(channel, *(ulong*)at, space, kind, out uint identifier);
        return error != 0 || CallerMemory.TryWrite(*(uint**)(at + 8), identifier) ? error : Linux.EFAULT;
    }

    private static int Quieten(int fd, uint channel, uint identifier, CmCommand command, ulong argument, void* answer)
    {
        int error = CmRequests.Quietening(fd, channel, identifier, command, argument, out uint fetched);
        return error != 0 || CallerMemory.TryWrite((uint*)answer, fetched) ? error : Linux.EFAULT;
    }

    private static int Migrate(uint channel, uint identifier, int from, void* answer)
    {
        uint before = CmChannels.NumberOf(from);
        return before == 0 ? Linux.ENOENT : Quieten(from, channel, identifier, CmCommand.Migrate, before, answer);
    }

    private static int BindTo(uint channel, uint identifier, byte* address)
    {
        if (!CmAddress.TryRead(address, out CmAddress own)) return Numbers.EAFNOSUPPORT;
        if (!own.IsAny && !CmAddress.IsOurs(own.Gid)) return Numbers.EADDRNOTAVAIL;
        return Show(channel, identifier, Bind, own);
    }

    /// <summary>A listener on all IPv6 addresses says which they are: the router can ask the kernel only for IPv4's.</summary>
    private static int Listen(uint channel, uint identifier, uint backlog)
    {
        int error = CmRequests.Query(channel, identifier, out VerbsCmState state);
        if (error == 0 && CmAddress.Of(state.OwnHigh, state.OwnLow, 0).IsAny)
        {
            _ = VerbsSession.Open(); // which reads the addresses again
            for (int i = 0; Gids.TryGet(i, out IbvGid gid, out _); i++) if (!gid.IsIPv4 || i == 0) _ = Show(channel, identifier, OneOfAll, new CmAddress { Gid = gid });
        }
        return error == 0 ? CmRequests.Command(channel, identifier, CmCommand.Listen, backlog, out _) : error;
    }

    private static int Show(uint channel, uint identifier, uint action, in CmAddress own)
    {
        const int datagram = 2;
        int socket = own.IsAny ? Process.Libc->socket(Linux.AF_INET, datagram | Linux.SOCK_CLOEXEC, 0) : QueuePairConnection.Prove(own.Gid);
        if (socket < 0) return own.IsAny ? Process.Errno : Numbers.EADDRNOTAVAIL;
        int error = CmRequests.Name(channel, identifier, action, own, default, 0, socket);
        Process.Libc->close(socket);
        return error;
    }

    /// <summary>Which own address a way to the peer begins at is for the kernel's routes to say.</summary>
    private static int ResolveAddress(uint channel, uint identifier, byte* source, byte* peer)
    {
        if (!CmAddress.TryRead(peer, out CmAddress to)) return Numbers.EAFNOSUPPORT;
        int error = CmRequests.Query(channel, identifier, out VerbsCmState state);
        if (error != 0) return error;
        CmAddress from = CmAddress.Of(state.OwnHigh, state.OwnLow, state.OwnPort);
        if (from.IsAny && CmAddress.TryRead(source, out CmAddress wanted)) from = wanted;
        int socket = CmAddress.Route(peer, from, out CmAddress own), status = 0;
        if (socket < 0) status = Process.Errno;
        else if (!CmAddress.IsOurs(own.Gid)) status = Numbers.ENODEV;
        if (socket < 0) socket = Process.Libc->socket(Linux.AF_INET, 2 | Linux.SOCK_CLOEXEC, 0);
        if (socket < 0) return Process.Errno;
        error = CmRequests.Name(channel, identifier, Resolve, own, to, status is >= 0 and <= (int)VerbsProtocol.MaximumErrno ? status : Linux.ENETUNREACH, socket);
        Process.Libc->close(socket);
        return error;
    }

    private static int Ask(uint channel, uint identifier, uint action, ulong user, byte* at)
    {
        ulong parameters = CmParameters.With(0, CmParameters.ResponderResources, at[ResponderResources]);
        parameters = CmParameters.With(parameters, CmParameters.InitiatorDepth, at[InitiatorDepth]);
        parameters = CmParameters.With(parameters, CmParameters.FlowControl, at[FlowControl]);
        // Three bits each, in a message as in a queue pair.
        parameters = CmParameters.With(parameters, CmParameters.RetryCount, (byte)(at[RetryCount] & 7));
        parameters = CmParameters.With(parameters, CmParameters.RnrRetryCount, (byte)(at[RnrRetryCount] & 7));
        parameters = CmParameters.With(parameters, CmParameters.SharedReceives, at[SharedReceives]);
        uint queueKey = *(uint*)(at + QueueKey);
        return CmRequests.Connect(channel, identifier, action, user, *(uint*)at, queueKey != 0 ? queueKey : CmAnswers.DatagramQueueKey, parameters, new ReadOnlySpan<byte>(at + Data, at[DataLength]));
    }

    private static int SetOption(uint channel, byte* at)
    {
        const uint ofIdentifier = 0, typeOfService = 0, reuseAddress = 1, acknowledgeTimeout = 3;
        uint identifier = *(uint*)(at + 8), level = *(uint*)(at + 12), option = *(uint*)(at + 16), length = *(uint*)(at + 20);
        if (level != ofIdentifier || option > acknowledgeTimeout) return Linux.ENOSYS;
        bool isByte = option is typeOfService or acknowledgeTimeout;
        if (length != (isByte ? 1u : sizeof(int))) return Linux.EINVAL;
        int value = 0;
        if (!CallerMemory.TryRead(*(void**)at, &value, length)) return Linux.EFAULT;
        // Classes of service mean nothing here.
        if (option == typeOfService) return CmRequests.Query(channel, identifier, out _);
        if (option == acknowledgeTimeout) return CmRequests.Command(channel, identifier, CmCommand.AcknowledgeTimeout, (byte)value, out _);
        return CmRequests.Command(channel, identifier, option == reuseAddress ? CmCommand.ReuseAddress : CmCommand.ExcludeFamily, value != 0 ? 1u : 0, out _);
    }

    /// <summary>Waits in recv(2) on the channel's socket, as it is set to wait or not.</summary>
    private static int NextEvent(int fd, uint channel, void* answer, uint room)
    {
        byte* buffer = stackalloc byte[Protocol.MaximumMessageBytes];
        byte told;
        ulong mark = CmChannels.MarkOf(fd);
        while (true)
        {
            nint waited = Process.Libc->recv(fd, &told, 1, Linux.MSG_PEEK);
            if (waited < 0) return Process.Errno;
            // The router has gone. Or another thread has closed the descriptor: who waits on the device then goes on to wait, for ever.
            if (waited == 0 && CmChannels.MarkOf(fd) == mark) return Numbers.EIO;
            if (waited == 0) return Process.Libc->poll(null, 0, -1) < 0 ? Process.Errno : Numbers.EIO;
            int error = CmRequests.Next(fd, channel, new Span<byte>(buffer, Protocol.MaximumMessageBytes), out VerbsCmEvent oldest);
            if (error == Linux.EAGAIN) continue;
            return error != 0 ? error : CmAnswers.Event(channel, oldest, answer, room);
        }
    }
}
