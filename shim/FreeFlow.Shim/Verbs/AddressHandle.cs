using System.Threading;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>An address handle: where datagrams go (IBA 10.2.2). What a work request needs of it is copied when that is posted.</summary>
internal unsafe struct AddressHandle
{
    private const byte AnyHops = 0xff;

    public IbvAh Base;
    public IbvAhAttr Attributes;

    /// <summary>ibv_create_ah(3); null with errno.</summary>
    public static AddressHandle* Create(ProtectionDomain* domain, IbvAhAttr* wish)
    {
        if (wish->IsGlobal == 0 || wish->Port != 1 || !Gids.TryGet(wish->SourceGidIndex, out _, out _)) return (AddressHandle*)Refusal.With(Linux.EINVAL);
        AddressHandle* handle = (AddressHandle*)Pages.Allocate((nuint)sizeof(AddressHandle));
        if (handle == null) return (AddressHandle*)Refusal.With(Linux.ENOMEM);
        handle->Base.Context = domain->Base.Context;
        handle->Base.Pd = domain;
        handle->Attributes = *wish;
        Interlocked.Increment(ref domain->Users);
        return handle;
    }

    public static int Destroy(AddressHandle* handle)
    {
        Interlocked.Decrement(ref ((ProtectionDomain*)handle->Base.Pd)->Users);
        Pages.Free(handle, (nuint)sizeof(AddressHandle));
        return 0;
    }

    /// <summary>ibv_init_ah_from_wc(3): the way back to who has sent a datagram. 0, or −1 with errno.</summary>
    public static int Describe(byte port, IbvWc* completion, byte* header, IbvAhAttr* result)
    {
        *result = new IbvAhAttr { Port = port };
        // Here every datagram has one.
        if (port != 1 || (completion->Flags & Ibv.WcGrh) == 0) { Process.Errno = Linux.EINVAL; return -1; }
        uint flow = GlobalRouteHeader.Read(header, out IbvGid from, out IbvGid to);
        int index = Gids.IndexOf(to);
        if (index < 0) { Process.Errno = Linux.EINVAL; return -1; }
        result->IsGlobal = 1;
        result->DestinationGid = from;
        result->SourceGidIndex = (byte)index;
        result->FlowLabel = flow & 0xfffff;
        result->TrafficClass = (byte)(flow >> 20);
        result->HopLimit = AnyHops;
        return 0;
    }
}
