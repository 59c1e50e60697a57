using System;
using FreeFlow.Contract;
using FreeFlow.Native;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>One message from the router. <see cref="MessageType"/> 0 without descriptors: the router closed the session.</summary>
internal sealed record Received(MessageType Type, uint Connection, Reason Reason, uint Side, ulong Capacity, int[] Descriptors) : IDisposable
{
    /// <summary>Of a Join: whose doorbell is shared.</summary>
    public uint Mate { get; init; }
    public uint MateGeneration { get; init; }

    public static Received Closed { get; } = new(0, 0, Reason.None, 0, 0, []);

    public bool IsClosed => Type == 0;

    public void Dispose()
    {
        foreach (int descriptor in Descriptors) Libc.close(descriptor);
    }
}
