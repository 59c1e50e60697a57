using System.Collections.Concurrent;
using System.Linq;
using FreeFlow.Router.Fabric.Links;
using FreeFlow.Router.Fabric.Wire;

namespace FreeFlow.Router.Tests.Fabric;

/// <summary>What a fabric has told.</summary>
internal sealed class RecordedEvents : IFabricEvents
{
    public ConcurrentQueue<IFabricLink> Links { get; } = new();

    public ConcurrentQueue<string> Losses { get; } = new();

    public ConcurrentQueue<(FrameType Type, byte[] Message)> Messages { get; } = new();

    /// <summary>The first link, once there is one.</summary>
    public IFabricLink Link
    {
        get
        {
            FakeEnd.Eventually(() => !Links.IsEmpty, "a link comes up");
            return Links.First();
        }
    }

    public void Up(IFabricLink link) => Links.Enqueue(link);

    public void Down(IFabricLink link, string reason) => Losses.Enqueue(reason);

    public void Received(IFabricLink link, FrameType type, ulong position, byte[] message) => Messages.Enqueue((type, message));
}
