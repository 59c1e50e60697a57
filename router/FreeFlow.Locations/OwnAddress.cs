using System;
using System.Net;
using System.Net.Sockets;

namespace FreeFlow.Locations;

/// <summary>Finds this host's address.</summary>
public static class OwnAddress
{
    /// <summary>The address that packets to an endpoint would leave from; nothing is sent. Null if there is no way there, or only this machine's own.</summary>
    public static Address? Towards(Uri endpoint)
    {
        try
        {
            using Socket socket = new(SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(endpoint.DnsSafeHost, endpoint.Port);
            return socket.LocalEndPoint is IPEndPoint local && Address.From(local.Address) is { IsOfNoPlace: false } address ? address : null;
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
