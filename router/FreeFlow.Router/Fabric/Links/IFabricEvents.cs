using FreeFlow.Router.Fabric.Wire;

namespace FreeFlow.Router.Fabric.Links;

/// <summary>What links have to tell. Called on their threads; must return soon.</summary>
internal interface IFabricEvents
{
    /// <summary>Another router can be reached now.</summary>
    void Up(IFabricLink link);

    /// <summary>It cannot any more by this link, and the link's streams are over.</summary>
    void Down(IFabricLink link, string reason);

    /// <summary>A frame about no stream.</summary>
    void Received(IFabricLink link, FrameType type, ulong position, byte[] message);
}
