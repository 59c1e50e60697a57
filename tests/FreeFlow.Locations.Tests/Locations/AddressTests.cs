using NUnit.Framework;

namespace FreeFlow.Locations.Tests.Locations;

public sealed class AddressTests
{
    [TestCase("10.0.0.1", "10.0.0.1")]
    [TestCase("::ffff:10.0.0.1", "10.0.0.1")]
    [TestCase("fd00:0:0::1", "fd00::1")]
    [TestCase("255.255.255.255", "255.255.255.255")]
    public void Addresses_are_read_and_written_in_one_form(string text, string expected)
    {
        Assert.That(Address.TryParse(text, out Address address), Is.True);
        Assert.That(address.ToString(), Is.EqualTo(expected));
    }

    // The framework's own parser takes most of these: 10.1 as 10.0.0.1, 010 as octal.
    [TestCase("")]
    [TestCase("10.1")]
    [TestCase("10.0.0.1.2")]
    [TestCase("10.0.0.256")]
    [TestCase("010.0.0.1")]
    [TestCase("0x0a.0.0.1")]
    [TestCase("10.0.0.1 ")]
    [TestCase("10.0.0.")]
    [TestCase("fe80::1%eth0")]
    [TestCase("[fd00::1]:80")]
    [TestCase("fd00::/8")]
    [TestCase("name")]
    public void What_is_no_single_address_is_refused(string text) => Assert.That(Address.TryParse(text, out _), Is.False);

    [TestCase("127.0.0.1", true)]
    [TestCase("0.0.0.0", true)]
    [TestCase("169.254.7.7", true)]
    [TestCase("224.0.0.1", true)]
    [TestCase("::1", true)]
    [TestCase("fe80::1", true)]
    [TestCase("ff02::1", true)]
    [TestCase("10.0.0.1", false)]
    [TestCase("fd00::1", false)]
    public void Addresses_that_every_host_has_are_of_no_place(string text, bool expected)
    {
        Assert.That(Address.TryParse(text, out Address address), Is.True);
        Assert.That(address.IsOfNoPlace, Is.EqualTo(expected));
    }

    [TestCase("10.0.0.0/8", "10.255.0.1", true)]
    [TestCase("10.0.0.0/8", "11.0.0.1", false)]
    [TestCase("0.0.0.0/0", "11.0.0.1", true)]
    [TestCase("0.0.0.0/0", "fd00::1", false)]
    [TestCase("::/0", "fd00::1", true)]
    [TestCase("fd00::/8", "fd12::1", true)]
    [TestCase("10.0.0.7", "10.0.0.7", true)]
    [TestCase("10.0.0.7", "10.0.0.8", false)]
    public void A_network_contains_its_addresses(string network, string text, bool expected)
    {
        Assert.That(Cidr.TryParse(network, out Cidr cidr) & Address.TryParse(text, out Address address), Is.True);
        Assert.That(cidr.Contains(address), Is.EqualTo(expected));
    }

    [TestCase("10.0.0.0/33")]
    [TestCase("10.0.0.0/")]
    [TestCase("10.0.0.0/-1")]
    [TestCase("all")]
    public void What_is_no_network_is_refused(string text) => Assert.That(Cidr.TryParse(text, out _), Is.False);
}
