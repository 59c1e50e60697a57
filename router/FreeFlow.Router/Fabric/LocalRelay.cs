using System;
using System.Net.Sockets;
using FreeFlow.Native;
using FreeFlow.Router.Fabric.Links;
using FreeFlow.Router.Fabric.Wire;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Fabric;

/// <summary>
/// Two links of this router with itself. A connection inside the host whose rate is limited has a ring at each end and a stream between them, as if the ends were on two
/// hosts: so the bytes pass where they can be held back, and the shims need nothing new.
/// </summary>
internal sealed unsafe class LocalRelay : IFabricEvents, IDisposable
{
    private readonly FabricLink _first, _second;

    private LocalRelay(Socket first, Socket second)
    {
        _first = new FabricLink(default(InternetAddress), new PlainChannel(first), this);
        _second = new FabricLink(default(InternetAddress), new PlainChannel(second), this);
    }

    /// <summary>Null if descriptors or threads are short.</summary>
    public static LocalRelay? TryCreate()
    {
        int* ends = stackalloc int[2];
        if (Libc.socketpair(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0, ends) != 0) return null;
        if (DescriptorReserve.IsTooHigh(ends[1]))
        {
            Libc.close(ends[0]);
            Libc.close(ends[1]);
            return null;
        }
        LocalRelay relay = new(new Socket(new SafeSocketHandle(ends[0], true)), new Socket(new SafeSocketHandle(ends[1], true)));
        relay._first.Start();
        relay._second.Start();
        if (relay.IsUp) return relay;
        relay.Dispose();
        return null;
    }

    public bool IsUp => _first.IsUp && _second.IsUp;

    public IFabricLink First => _first;

    public IFabricLink Second => _second;

    public void Dispose()
    {
        _first.Close("the router stops");
        _second.Close("the router stops");
    }

    void IFabricEvents.Up(IFabricLink link) { }

    void IFabricEvents.Down(IFabricLink link, string reason) { }

    void IFabricEvents.Received(IFabricLink link, FrameType type, ulong position, byte[] message) { }
}
