using FreeFlow.Router.Fabric.Wire;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Fabric;

public sealed class PacketSizesTests
{
    /// <summary>Ethernet with time stamps, without, jumbo frames, the loopback interface; segments that are larger than what is asked for, and unknown ones.</summary>
    [TestCase(1448u, 262_176u, 260_640u)]
    [TestCase(1460u, 262_176u, 256_960u)]
    [TestCase(8948u, 262_176u, 250_544u)]
    [TestCase(65483u, 262_176u, 261_932u)]
    [TestCase(300_000u, 262_176u, 262_176u)]
    [TestCase(0u, 262_176u, 262_176u)]
    public void FramesFillWholePackets(uint segment, uint most, uint full) => Assert.That(PacketSizes.FullPackets(segment, most), Is.EqualTo(full));
}
