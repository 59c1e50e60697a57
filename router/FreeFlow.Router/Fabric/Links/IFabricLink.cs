using System;
using System.Threading;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Fabric.Wire;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Fabric.Links;

/// <summary>The way to one other router. Thread-safe.</summary>
internal interface IFabricLink
{
    /// <summary>The host at the other end, as its certificate or, in a laboratory, its address proves.</summary>
    InternetAddress Host { get; }

    /// <summary>True until it is lost; nothing brings a lost one back.</summary>
    bool IsUp { get; }

    /// <summary>Streams that it carries.</summary>
    int Streams { get; }

    /// <summary>Bytes of streams that it has carried to the other host.</summary>
    long BytesSent { get; }

    /// <summary>And from there.</summary>
    long BytesReceived { get; }

    /// <summary>Frames about no stream from there that may wait here at once.</summary>
    SemaphoreSlim Unheard { get; }

    /// <summary>So many frames about no stream wait to be sent that there is no room for more offers: what is answered, and taken back, still has some.</summary>
    bool IsCrowded { get; }

    /// <summary>Sends a frame about no stream, after those that were sent before.</summary>
    void Send(FrameType type, ulong position, ReadOnlySpan<byte> message);

    /// <summary>Takes a stream up; it is the link's from now on. Frames for it may come from the moment the other router learns its number. False, and the stream disposed, if the link is lost.</summary>
    bool Carry(FabricStream stream);

    /// <summary>Tells the other router that a stream it has begun, and this one does not know, is none.</summary>
    void TurnDown(uint remote);

    /// <summary>The program here has closed the stream's connection, whatever its doorbell says: a ring that it never took up keeps that open. Harmless if it is over.</summary>
    void Leave(uint stream);

    /// <summary>Gives a stream back to the kernel; harmless if it is over.</summary>
    void Abandon(uint stream);
}
