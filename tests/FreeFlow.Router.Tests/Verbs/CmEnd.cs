using System;
using System.Collections.Generic;
using FreeFlow.Contract;
using FreeFlow.Contract.Messages;
using FreeFlow.Native;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Sessions;
using FreeFlow.Router.Verbs;

namespace FreeFlow.Router.Tests.Verbs;

/// <summary>A process of this network with one event channel, whose commands the connection manager is given.</summary>
internal sealed class CmEnd : IDisposable
{
    private const uint Connecting = 0, Accepting = 1, Rejecting = 2;

    private readonly CmBroker _broker;
    private readonly int _socket, _other;

    public unsafe CmEnd(CmBroker broker, ulong id)
    {
        _broker = broker;
        int* ends = stackalloc int[2];
        if (Libc.socketpair(Libc.AF_UNIX, Libc.SOCK_SEQPACKET | Libc.SOCK_CLOEXEC, 0, ends) != 0) throw new InvalidOperationException(Errno.LastText);
        (_socket, _other) = (ends[0], ends[1]);
        Client = new VerbsClient(new Session(id, _socket, default, new UserAccount(), new Queue<Session>()), 1)
        {
            NetworkSocket = Libc.socket(Libc.AF_INET, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC, 0),
        };
        Channel = Open();
    }

    public VerbsClient Client { get; }

    public CmChannel Channel { get; }

    public CmChannel Open()
    {
        if (_broker.OpenChannel(Client, out CmChannel? channel) != 0) throw new InvalidOperationException(Errno.LastText);
        return channel!;
    }

    public CmIdentifier Create(uint space = VerbsProtocol.PortSpaceTcp, ulong user = 7)
    {
        VerbsCmCreate request = new() { Channel = Channel.Number, User = user, Space = space, Kind = VerbsProtocol.ReliableConnection };
        if (_broker.Create(Client, request, out uint number) != 0) throw new InvalidOperationException("no identifier");
        return Client.Identifiers[number];
    }

    public CmIdentifier Listener(ushort port, ulong backlog = 0, uint space = VerbsProtocol.PortSpaceTcp)
    {
        CmIdentifier listener = Create(space);
        int error = _broker.Bind(listener, At(port));
        if (error == 0) error = _broker.Listen(listener, backlog);
        return error == 0 ? listener : throw new InvalidOperationException($"errno {error}");
    }

    /// <summary>An identifier that knows its way to the port, its events fetched.</summary>
    public CmIdentifier Resolved(ushort port, uint space = VerbsProtocol.PortSpaceTcp)
    {
        CmIdentifier identifier = Create(space);
        _ = _broker.Resolve(identifier, At(0), At(port), 0);
        _ = Next();
        _ = _broker.ResolveRoute(identifier);
        _ = Next();
        return identifier;
    }

    public int Connect(CmIdentifier identifier, string data = "", ulong parameters = 0) => _broker.Connect(identifier, Request(Connecting, 0x111, data, parameters));

    public int Accept(CmIdentifier identifier, string data = "", ulong parameters = 0) => _broker.Accept(identifier, Request(Accepting, 0x222, data, parameters));

    public int Reject(CmIdentifier identifier, string data = "") => _broker.Reject(identifier, Request(Rejecting, 0, data, 0));

    /// <summary>The next event, as "KIND status"; "" if there is none.</summary>
    public string Next() => Next(out _);

    public string Next(out CmEvent oldest) => _broker.Next(Client, Channel.Number, out oldest) == 0 ? $"{oldest.Kind} {oldest.Status}" : "";

    /// <summary>An address that every network has.</summary>
    public static InternetEndpoint At(ushort port) => new(InternetAddress.FromIPv4([127, 0, 0, 1]), port);

    public void Dispose()
    {
        _broker.End(Client);
        Libc.close(_socket);
        Libc.close(_other);
    }

    private static VerbsCmConnect Request(uint action, uint number, string data, ulong parameters) =>
        new() { Action = action, User = 9, Number = number, Parameters = parameters, PrivateData = System.Text.Encoding.ASCII.GetBytes(data) };
}
