using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Readiness;

/// <summary>What the application has registered of a descriptor in one epoll set.</summary>
internal struct SetItem
{
    /// <summary>A descriptor of the set.</summary>
    public int Epoll;

    /// <summary>The application's mask and data; no event but EPOLLONESHOT for one that has fired.</summary>
    public EpollEvent Event;
}
