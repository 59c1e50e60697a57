using System;
using System.Threading;
using FreeFlow.Router.Fabric.Links;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Fabric.Wire;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>A link that sends nothing and counts what it is to send.</summary>
internal sealed class CountingLink(InternetAddress host) : IFabricLink
{
    public int Offers { get; private set; }
    public int Withdrawals { get; private set; }
    public InternetAddress Host => host;
    public bool IsUp => true;
    public int Streams => 0;
    public long BytesSent => 0;
    public long BytesReceived => 0;
    public SemaphoreSlim Unheard { get; } = new(1);
    public bool IsCrowded { get; set; }

    public void Send(FrameType type, ulong position, ReadOnlySpan<byte> message)
    {
        if (type == FrameType.Offer) Offers++;
        if (type == FrameType.Withdraw) Withdrawals++;
    }

    public bool Carry(FabricStream stream) => false;
    public void TurnDown(uint remote) { }
    public void Leave(uint stream) { }
    public void Abandon(uint stream) { }
}
