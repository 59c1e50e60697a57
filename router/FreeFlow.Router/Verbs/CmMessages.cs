using System;
using FreeFlow.Contract;
using FreeFlow.Contract.Messages;
using FreeFlow.Native;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Sessions;

namespace FreeFlow.Router.Verbs;

/// <summary>Reads the messages of the connection manager and answers each.</summary>
internal sealed class CmMessages(CmBroker broker)
{
    private const uint Bind = 0, Resolve = 1, Connect = 0, Accept = 1;
    private const ulong MostTimeout = 31; // five bits in an address vector

    /// <summary>False if the message is none of these, or not as the contract says. Descriptors that are kept are −1 afterwards.</summary>
    public bool Handle(VerbsClient client, MessageType type, ReadOnlySpan<byte> message, Span<int> descriptors)
    {
        switch (type)
        {
            case MessageType.VerbsCmCommand when descriptors.IsEmpty && VerbsCmCommand.TryRead(message, out VerbsCmCommand command):
                Do(client, command);
                return true;
            case MessageType.VerbsCmCreate when descriptors.IsEmpty && VerbsCmCreate.TryRead(message, out VerbsCmCreate create):
                Reply(client, create.Sequence, broker.Create(client, create, out uint number), number);
                return true;
            case MessageType.VerbsCmAddress when descriptors.Length == 1 && VerbsCmAddress.TryRead(message, out VerbsCmAddress address):
                Reply(client, address.Sequence, Name(client, address, ref descriptors[0]));
                return true;
            case MessageType.VerbsCmConnect when descriptors.IsEmpty && VerbsCmConnect.TryRead(message, out VerbsCmConnect connect):
                int status = CmBroker.Find(client, connect.Channel, connect.Identifier, out CmIdentifier identifier);
                if (status == 0) status = connect.Action switch { Connect => broker.Connect(identifier, connect), Accept => broker.Accept(identifier, connect), _ => broker.Reject(identifier, connect) };
                Reply(client, connect.Sequence, status);
                return true;
            default:
                return false;
        }
    }

    private void Do(VerbsClient client, in VerbsCmCommand command)
    {
        switch ((CmCommand)command.Command)
        {
            case CmCommand.OpenChannel: Open(client, command.Sequence); return;
            case CmCommand.CloseChannel: Reply(client, command.Sequence, broker.CloseChannel(client, command.Channel)); return;
            case CmCommand.NextEvent: Next(client, command); return;
            case CmCommand.Migrate when command.Argument <= uint.MaxValue:
                int moved = CmBroker.Migrate(client, command.Channel, (uint)command.Argument, command.Identifier, out ulong fetched, out bool mustQuieten);
                Reply(client, command.Sequence, moved, fetched | (mustQuieten ? VerbsProtocol.CmHasNoMoreEvents : 0));
                return;
        }
        int status = CmBroker.Find(client, command.Channel, command.Identifier, out CmIdentifier identifier);
        ulong value = 0;
        if (status == 0 && command.Command == (uint)CmCommand.Query) { Describe(client, command.Sequence, identifier); return; }
        if (status == 0) status = Do(identifier, command, out value);
        Reply(client, command.Sequence, status, value);
    }

    private int Do(CmIdentifier identifier, in VerbsCmCommand command, out ulong value)
    {
        value = 0;
        switch ((CmCommand)command.Command)
        {
            case CmCommand.Listen: return broker.Listen(identifier, command.Argument);
            case CmCommand.ResolveRoute: return broker.ResolveRoute(identifier);
            case CmCommand.Establish: return broker.Establish(identifier);
            case CmCommand.Notify: return broker.Notify(identifier, command.Argument);
            case CmCommand.Disconnect: return broker.Disconnect(identifier);
            case CmCommand.Destroy:
                value = broker.Destroy(identifier, out bool mustQuieten) | (mustQuieten ? VerbsProtocol.CmHasNoMoreEvents : 0);
                return 0;
            case CmCommand.ReuseAddress:
                identifier.ReusesAddress = command.Argument != 0;
                return 0;
            case CmCommand.ExcludeFamily:
                identifier.ExcludesFamily = command.Argument != 0;
                return 0;
            case CmCommand.AcknowledgeTimeout when command.Argument <= MostTimeout && identifier.Kind == VerbsProtocol.ReliableConnection:
                identifier.AcknowledgeTimeout = (byte)(command.Argument + 1);
                return 0;
            default: return Errno.EINVAL;
        }
    }

    private int Name(VerbsClient client, in VerbsCmAddress request, ref int socket)
    {
        InternetEndpoint own = new(new InternetAddress(new UInt128(request.OwnHigh, request.OwnLow)), (ushort)request.OwnPort);
        InternetEndpoint peer = new(new InternetAddress(new UInt128(request.PeerHigh, request.PeerLow)), (ushort)request.PeerPort);
        int status = CmBroker.Find(client, request.Channel, request.Identifier, out CmIdentifier identifier);
        if (status != 0) return status;
        if (request.Status == 0 && !Show(client, own.Address, ref socket)) return Errno.EACCES;
        return request.Action switch
        {
            Bind => broker.Bind(identifier, own),
            Resolve => broker.Resolve(identifier, own, peer, (int)request.Status),
            _ => 0,
        };
    }

    /// <summary>The process shows a socket of its network. The first one is kept.</summary>
    private static bool Show(VerbsClient client, InternetAddress own, ref int socket)
    {
        if (!SocketOptions.TryGet(socket, Libc.SO_NETNS_COOKIE, out ulong network) || network != client.Session.Origin.Network) return false;
        const int most = 256;
        if (!own.IsIPv4 && own.Value != 0)
        {
            if (!SocketOptions.TryGetLocalAddress(socket, out InternetAddress bound) || bound != own) return false;
            if (client.ShownAddresses.Count < most) client.ShownAddresses.Add(own);
        }
        // A datagram socket: closing it waits for nobody.
        bool isDatagram = SocketOptions.TryGet(socket, Libc.SO_TYPE, out int type) && type == Libc.SOCK_DGRAM
            && SocketOptions.TryGet(socket, Libc.SO_DOMAIN, out int domain) && domain is Libc.AF_INET or Libc.AF_INET6;
        if (!isDatagram) return false;
        if (client.NetworkSocket >= 0 || DescriptorReserve.IsTooHigh(socket)) return true;
        client.NetworkSocket = socket;
        socket = -1;
        return true;
    }

    private void Open(VerbsClient client, uint sequence)
    {
        int status = broker.OpenChannel(client, out CmChannel? channel);
        if (channel is null) { Reply(client, sequence, status); return; }
        int socket = channel.TakeSocket();
        Span<byte> answer = stackalloc byte[Protocol.MaximumMessageBytes];
        client.Session.Send(answer[..new VerbsReply { Sequence = sequence, Status = 0, Value = channel.Number }.Write(answer)], [socket]);
        Libc.close(socket);
    }

    private void Next(VerbsClient client, in VerbsCmCommand command)
    {
        int status = broker.Next(client, command.Channel, out CmEvent oldest);
        if (status != 0) { Reply(client, command.Sequence, status); return; }
        Span<byte> answer = stackalloc byte[Protocol.MaximumMessageBytes];
        VerbsCmEvent told = new()
        {
            Sequence = command.Sequence, Identifier = (oldest.Request ?? oldest.Of).Number, User = oldest.Of.User, Kind = oldest.Of.Kind, Event = (uint)oldest.Kind, Status = (uint)oldest.Status,
            Number = oldest.Number, QueueKey = oldest.QueueKey, Parameters = oldest.Parameters, PrivateData = oldest.Data,
        };
        client.Session.Send(answer[..told.Write(answer)], default);
    }

    private static void Describe(VerbsClient client, uint sequence, CmIdentifier identifier)
    {
        Span<byte> answer = stackalloc byte[Protocol.MaximumMessageBytes];
        UInt128 own = identifier.Own.Address.Value, peer = identifier.Peer.Address.Value;
        VerbsCmState state = new()
        {
            Sequence = sequence, Kind = identifier.Kind, OwnHigh = (ulong)(own >> 64), OwnLow = (ulong)own, OwnPort = identifier.Own.Port,
            PeerHigh = (ulong)(peer >> 64), PeerLow = (ulong)peer, PeerPort = identifier.Peer.Port, Number = identifier.RemoteNumber, Parameters = CmParameters.With(identifier.Parameters, CmParameters.AcknowledgeTimeout, identifier.AcknowledgeTimeout),
            HasRoute = identifier.State is CmState.Idle or CmState.Bound or CmState.AddressResolved or CmState.Listening ? 0u : 1,
        };
        client.Session.Send(answer[..state.Write(answer)], default);
    }

    private static void Reply(VerbsClient client, uint sequence, int status, ulong value = 0)
    {
        Span<byte> answer = stackalloc byte[Protocol.MaximumMessageBytes];
        client.Session.Send(answer[..new VerbsReply { Sequence = sequence, Status = (uint)status, Value = value }.Write(answer)], default);
    }
}
