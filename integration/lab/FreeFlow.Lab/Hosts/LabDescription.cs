using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Net;

namespace FreeFlow.Lab.Hosts;

/// <summary>What a laboratory consists of. <see cref="LabFile"/> reads it from YAML; <see cref="Create"/> makes a regular one.</summary>
public sealed record LabDescription
{
    /// <summary>The network that joins the hosts.</summary>
    public string Underlay { get; init; } = "192.168.77.0/24";

    /// <summary>Largest packet on the underlay; the overlay's is smaller by vxlan's 50 bytes.</summary>
    public int Mtu { get; init; } = 1500;

    /// <summary>The network that joins the containers, a /16: the third byte of an address is its host's number unless the description says otherwise.</summary>
    public string Overlay { get; init; } = "10.77.0.0/16";

    /// <summary>vxlan's network identifier.</summary>
    public int OverlayId { get; init; } = 77;

    /// <summary>True: etcd runs beside the hosts.</summary>
    public bool Etcd { get; init; } = true;

    /// <summary>True: the routers show each other certificates of the laboratory's own authority; false: the fabric is insecure.</summary>
    public bool Certificates { get; init; } = true;

    /// <summary>More arguments for every router.</summary>
    public IReadOnlyList<string> RouterArguments { get; init; } = [];

    /// <summary>More arguments for every hunter.</summary>
    public IReadOnlyList<string> HunterArguments { get; init; } = [];

    /// <summary>The hosts.</summary>
    public IReadOnlyList<HostDescription> Hosts { get; init; } = [];

    /// <summary>etcd's address on the underlay.</summary>
    public string EtcdAddress => Offset(Underlay, 250);

    /// <summary>Hosts h1, h2, … with containers a, b, … each, a router and (with etcd) a hunter on every host.</summary>
    public static LabDescription Create(int hosts, int containers, bool etcd = true)
    {
        LabDescription lab = new() { Etcd = etcd };
        string[] daemons = etcd ? ["router", "hunter"] : ["router"];
        return lab with
        {
            Hosts = [.. Enumerable.Range(1, hosts).Select(host => new HostDescription($"h{host}", lab.HostAddress(host), lab.GatewayAddress(host),
                [.. Enumerable.Range(1, containers).Select(index => new ContainerDescription(((char)('a' + index - 1)).ToString(), lab.ContainerAddress(host, index), ContainerAddress6(host, index)))],
                daemons, new LinkDescription()))],
        };
    }

    internal string HostAddress(int host) => Offset(Underlay, host);

    internal string GatewayAddress(int host) => Offset(Overlay, (host << 8) + 254);

    internal string ContainerAddress(int host, int index) => Offset(Overlay, (host << 8) + index);

    internal static string ContainerAddress6(int host, int index) => string.Create(CultureInfo.InvariantCulture, $"fd77::{host:x}:{index:x}");

    internal int OverlayPrefix => IPNetwork.Parse(Overlay).PrefixLength;

    internal int UnderlayPrefix => IPNetwork.Parse(Underlay).PrefixLength;

    private static string Offset(string network, int offset)
    {
        byte[] bytes = IPNetwork.Parse(network).BaseAddress.GetAddressBytes();
        uint value = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes) + (uint)offset;
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return new IPAddress(bytes).ToString();
    }
}
