using FreeFlow.Router.Fabric.Links;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Sessions;

/// <summary>An end here whose other end lives on another host: offered to that host's router, or joined with a stream there.</summary>
internal sealed class RemoteEnd(uint number, ConnectionEnd end, InternetAddress host)
{
    /// <summary>By which the other router knows it, and the stream that comes of it.</summary>
    public uint Number { get; } = number;

    public ConnectionEnd End { get; } = end;

    /// <summary>Where the locations say that the other end is.</summary>
    public InternetAddress Host { get; } = host;

    /// <summary>The link by which it was offered to the other router last; null: to none.</summary>
    public IFabricLink? OfferedBy { get; set; }

    /// <summary>The link that carries its stream; null while it is only offered.</summary>
    public IFabricLink? Carrier { get; set; }
}
