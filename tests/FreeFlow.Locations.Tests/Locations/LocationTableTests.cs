using System.Collections.Generic;
using System.Linq;
using NUnit.Framework;

namespace FreeFlow.Locations.Tests.Locations;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class LocationTableTests
{
    private readonly LocationTable _table = new();
    private readonly List<LocationChange> _changes = [];

    [SetUp]
    public void Listen() => _table.Changed += _changes.Add;

    [Test]
    public void An_address_that_moves_is_one_change()
    {
        _table.Set(Read("10.0.0.1"), Read("192.168.0.1"));
        _table.Set(Read("10.0.0.1"), Read("192.168.0.1"));
        _table.Set(Read("10.0.0.1"), Read("192.168.0.2"));
        _table.Remove(Read("10.0.0.1"));
        _table.Remove(Read("10.0.0.1"));
        Assert.That(_changes.Select(change => change.Host?.Address.ToString()), Is.EqualTo(new[] { "192.168.0.1", "192.168.0.2", null }));
        Assert.That((_table.Addresses, _table.Hosts), Is.EqualTo((0, 0)));
    }

    [Test]
    public void Both_families_share_a_host()
    {
        _table.Set(Read("10.0.0.1"), Read("192.168.0.1"));
        _table.Set(Read("fd00::1"), Read("192.168.0.1"));
        Assert.That(_table.Find(Read("fd00::1")), Is.SameAs(_table.Find(Read("::ffff:10.0.0.1"))));
        Assert.That((_table.Addresses, _table.Hosts), Is.EqualTo((2, 1)));
        _table.Remove(Read("10.0.0.1"));
        Assert.That((_table.Addresses, _table.Hosts), Is.EqualTo((1, 1)));
    }

    [Test]
    public void What_becomes_known_of_a_host_reaches_its_addresses_before_or_after()
    {
        _table.SetName(Read("192.168.0.1"), "early");
        _table.Set(Read("10.0.0.1"), Read("192.168.0.1"));
        _table.SetRouter(Read("192.168.0.1"), new() { Port = 7471, Capabilities = ["tcp"] });
        Host host = _table.Find(Read("10.0.0.1"))!;
        Assert.That((host.Name, host.Router?.Port), Is.EqualTo(("early", 7471)));
        int before = _changes.Count;
        _table.SetRouter(Read("192.168.0.1"), new() { Port = 7471, Capabilities = ["tcp"] });
        Assert.That(_changes, Has.Count.EqualTo(before), "the same description again is no change");
        _table.SetRouter(Read("192.168.0.1"), null);
        Assert.That(_changes[^1].Host, Is.EqualTo(new Host(Read("192.168.0.1"), "early", null)));
    }

    private static Address Read(string text) => Address.TryParse(text, out Address address) ? address : throw new System.FormatException(text);
}
