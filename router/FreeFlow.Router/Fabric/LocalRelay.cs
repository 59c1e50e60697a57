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

    public LocalRelay()
    {
        int* ends = stackalloc int[2];
        if (Libc.socketpair(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0, ends) != 0) throw new RouterException($"no socket pair can be had ({Errno.LastText}).");
        _first = new FabricLink(default(InternetAddress), new PlainChannel(new Socket(new SafeSocketHandle(ends[0], true))), this);
        _second = new FabricLink(default(InternetAddress), new PlainChannel(new Socket(new SafeSocketHandle(ends[1], true))), this);
        _first.Start();
        _second.Start();
    }

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
