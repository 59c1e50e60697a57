using System.Linq;
using System.Text.Json;
using FreeFlow.Rdma.Hardware;
using NUnit.Framework;

namespace FreeFlow.Kubernetes.Tests.Rdma;

/// <summary>What is read of sysfs.</summary>
internal sealed class HardwareReaderTests
{
    [Test]
    public void TheWireFormIsRits()
    {
        using SystemTree tree = new();
        tree.Add("enp1", "100 Gb/sec (4X EDR)", (15000, true), (0, false));
        Assert.That(JsonSerializer.Serialize(new HardwareReader(tree.Folder).Read(), HardwareJson.Default.PhysicalFunctionArray),
            Is.EqualTo(
            """[{"name":"enp1","used_tx_rate":15000,"capacity_tx_rate":100000,"used_vfs":1,"capacity_vfs":2,"vfs":["""
            + """{"vf":0,"mac":"00:11:22:33:44:00","vlan":5,"qos":0,"vlan_proto":"802.1Q","spoof_check":"OFF","trust":"ON","link_state":"Follow","min_tx_rate":15000,"max_tx_rate":20000,"vgt_plus":"OFF","rate_group":0,"allocated":true},"""
            + """{"vf":1,"mac":"00:11:22:33:44:01","vlan":5,"qos":0,"vlan_proto":"802.1Q","spoof_check":"OFF","trust":"ON","link_state":"Follow","min_tx_rate":0,"max_tx_rate":20000,"vgt_plus":"OFF","rate_group":0,"allocated":false}]}]"""));
    }

    [Test]
    public void WhatIsNotWholeIsLeftOut()
    {
        using SystemTree tree = new();
        tree.Add("gone", "100 Gb/sec", (0, false), (0, false), (0, false));
        tree.Remove("gone/device/virtfn1/net");
        tree.Remove("gone/device/sriov/2");
        tree.Add("norate", "100 Gb/sec", (0, false));
        tree.Remove("norate/device/infiniband");
        tree.Write("lo/address", "00:00:00:00:00:00");
        tree.Write("off/device/sriov_numvfs", "0");
        tree.Write("odd/device/sriov_numvfs", "many");
        PhysicalFunction card = new HardwareReader(tree.Folder).Read().Single();
        Assert.That((card.Name, card.CapacityFunctions, card.Functions.Single().Number), Is.EqualTo(("gone", 1u, 0u)));
    }

    [Test]
    public void ACardThatComesLaterIsSeen()
    {
        using SystemTree tree = new();
        HardwareReader reader = new(tree.Folder);
        Assert.That(reader.Read(), Is.Empty);
        tree.Add("enp1", "40 Gb/sec (4X QDR)", (0, false));
        Assert.That(reader.Read(), Has.Length.EqualTo(1));
    }

    [TestCase("100 Gb/sec (4X EDR)", 100000u)]
    [TestCase("2.5 Gb/sec (1X SDR)", 2500u)]
    [TestCase("1 Tb/sec", 1000000u)]
    [TestCase("10 Mb/sec", 10u)]
    [TestCase("0 Gb/sec", null)]
    [TestCase("-1 Gb/sec", null)]
    [TestCase("9999999 Tb/sec", null)]
    [TestCase("fast", null)]
    [TestCase("10 Zb/sec", null)]
    [TestCase("", null)]
    public void ARateIsMegabitsOrNothing(string text, uint? rate) => Assert.That(PortRate.Parse(text), Is.EqualTo(rate));
}
