using System.Collections.Generic;
using System.Security.Cryptography;
using FreeFlow.Native;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Verbs;

/// <summary>Ports of connection identifiers: each network namespace has its own, for each port space (rdma_bind_addr(3)).</summary>
internal sealed class CmPorts
{
    /// <summary>As Linux has them for sockets (net.ipv4.ip_local_port_range).</summary>
    private const int FirstEphemeral = 32768, EndOfEphemeral = 61000, Attempts = 1024;

    private readonly Dictionary<(ulong Network, uint Space, ushort Port), List<CmIdentifier>> _holders = [];
    private readonly Dictionary<(uint Space, ushort Port), List<CmIdentifier>> _listeners = [];

    /// <summary>Gives the identifier its address, with a free port for 0. 0, or an errno.</summary>
    public int Take(CmIdentifier identifier, InternetEndpoint wanted)
    {
        for (int i = 0; wanted.Port == 0; i++)
        {
            if (i == Attempts) return Errno.EADDRNOTAVAIL;
            InternetEndpoint some = wanted with { Port = (ushort)RandomNumberGenerator.GetInt32(FirstEphemeral, EndOfEphemeral) };
            if (!_holders.ContainsKey(Key(identifier, some.Port))) wanted = some;
        }
        if (_holders.TryGetValue(Key(identifier, wanted.Port), out List<CmIdentifier>? holders))
        {
            foreach (CmIdentifier other in holders)
            {
                bool bothReuse = other.ReusesAddress && identifier.ReusesAddress && other.State != CmState.Listening;
                if (Meet(other.Own.Address, wanted.Address) && !bothReuse) return Errno.EADDRINUSE;
            }
        }
        else _holders[Key(identifier, wanted.Port)] = holders = [];
        holders.Add(identifier);
        identifier.Own = wanted;
        identifier.HoldsPort = true;
        return 0;
    }

    /// <summary>The identifier listens from now on: nobody else does at its address. 0, or an errno.</summary>
    public int Listen(CmIdentifier identifier)
    {
        foreach (CmIdentifier other in _holders[Key(identifier, identifier.Own.Port)])
            if (other != identifier && other.State == CmState.Listening && Meet(other.Own.Address, identifier.Own.Address)) return Errno.EADDRINUSE;
        if (!_listeners.TryGetValue((identifier.Space, identifier.Own.Port), out List<CmIdentifier>? listeners)) _listeners[(identifier.Space, identifier.Own.Port)] = listeners = [];
        listeners.Add(identifier);
        return 0;
    }

    public void GiveBack(CmIdentifier identifier)
    {
        if (!identifier.HoldsPort) return;
        identifier.HoldsPort = false;
        Remove(_holders, Key(identifier, identifier.Own.Port), identifier);
        Remove(_listeners, (identifier.Space, identifier.Own.Port), identifier);
    }

    /// <summary>All that listen on a port, in whatever network.</summary>
    public IReadOnlyList<CmIdentifier> ListenersOn(uint space, ushort port) => _listeners.TryGetValue((space, port), out List<CmIdentifier>? listeners) ? listeners : [];

    public static bool IsAny(InternetAddress address) => address.Value == 0 || (address.IsIPv4 && address.IPv4 == 0);

    private static bool Meet(InternetAddress one, InternetAddress other) => one == other || IsAny(one) || IsAny(other);

    private static (ulong, uint, ushort) Key(CmIdentifier identifier, ushort port) => (identifier.Client.Session.Origin.Network, identifier.Space, port);

    private static void Remove<T>(Dictionary<T, List<CmIdentifier>> table, T key, CmIdentifier identifier) where T : notnull
    {
        if (table.TryGetValue(key, out List<CmIdentifier>? list) && list.Remove(identifier) && list.Count == 0) table.Remove(key);
    }
}
