using System;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>The virtual device freeflow0: one port, Ethernet link layer, RoCEv2 GIDs. What it says it can do, it does.</summary>
internal static unsafe class Device
{
    public const int MostReads = 128;
    public const ulong MostMessageBytes = 1UL << 31;

    private const int NodeChannelAdapter = 1, TransportInfiniBand = 0;
    private const uint Active = 4, Mtu4096 = 5, LinkUp = 5, LayerEthernet = 2, GrhRequired = 1;
    private const uint NoVendor = 0xffffff;
    private const uint RnrNakGeneration = 1 << 12;

    /// <summary>Once; cheap to repeat.</summary>
    public static void Describe()
    {
        IbvDevice* device = (IbvDevice*)Seam.Device;
        device->NodeType = NodeChannelAdapter;
        device->TransportType = TransportInfiniBand;
        "freeflow0\0"u8.CopyTo(new Span<byte>(device->Name, IbvDevice.NameBytes));
        "freeflow0\0"u8.CopyTo(new Span<byte>(device->DeviceName, IbvDevice.NameBytes));
        "/sys/class/infiniband_verbs/freeflow0\0"u8.CopyTo(new Span<byte>(device->DevicePath, IbvDevice.PathBytes));
        "/sys/class/infiniband/freeflow0\0"u8.CopyTo(new Span<byte>(device->IbDevicePath, IbvDevice.PathBytes));
    }

    /// <summary>As an EUI-64 of locally administered form, from the first address.</summary>
    public static ulong Guid => Gids.TryGet(0, out IbvGid gid, out _) ? gid.Low ^ 0x02 : 0x02;

    public static void Query(IbvDeviceAttr* attributes)
    {
        *attributes = new IbvDeviceAttr
        {
            NodeGuid = Guid, SystemGuid = Guid, MaxMrBytes = Contract.Layout.RegionPages.MaximumBytes, PageSizes = ~0xfffUL, VendorId = NoVendor,
            MaxQp = 16384, MaxQpWr = (int)QueuePairs.MostWorkRequests, Capabilities = RnrNakGeneration, MaxSge = (int)QueuePairs.MostSges, MaxSgeRead = (int)QueuePairs.MostSges,
            MaxCq = 65536, MaxCqe = CompletionQueue.MostEntries, MaxMr = (int)RegionTable.Capacity, MaxPd = 65536,
            MaxQpReadAtomic = MostReads, MaxReadAtomic = MostReads * 16384, MaxQpInitiatedReadAtomic = MostReads, AtomicCapability = 2, MaxAh = 65536, MaxSrq = 16384, MaxSrqWr = (int)QueuePairs.MostWorkRequests,
            MaxSrqSge = (int)QueuePairs.MostSges, MaxPkeys = 1, AckDelay = 0, Ports = 1,
        };
        "0.1.0\0"u8.CopyTo(new Span<byte>(attributes->Firmware, 64));
    }

    /// <summary>Writes as many bytes of struct ibv_port_attr as the caller has.</summary>
    public static void QueryPort(byte* target, nuint bytes)
    {
        IbvPortAttr port = new()
        {
            State = Active, MaxMtu = Mtu4096, ActiveMtu = Mtu4096, GidTableLength = Gids.Count, MaxMessageBytes = (uint)MostMessageBytes, PkeyTableLength = 1, MaxVirtualLanes = 1,
            // 4 lanes of 25 Gbit/s each.
            ActiveWidth = 2, ActiveSpeed = 32, PhysicalState = (byte)LinkUp, LinkLayer = (byte)LayerEthernet, Flags = (byte)GrhRequired,
        };
        for (nuint i = 0; i < bytes; i++) target[i] = i < (nuint)sizeof(IbvPortAttr) ? ((byte*)&port)[i] : (byte)0;
    }
}
