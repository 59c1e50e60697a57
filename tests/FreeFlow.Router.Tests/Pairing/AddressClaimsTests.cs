using FreeFlow.Router.Pairing;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Pairing;

public class AddressClaimsTests
{
    private static readonly InternetAddress Address = InternetAddress.FromIPv4([10, 0, 0, 1]);

    [Test]
    public void AnAddressBelongsToItsOnlyClaimant()
    {
        AddressClaims claims = new();
        Assert.That(claims.BelongsTo(Address, 1), Is.False, "nobody claims it");
        claims.Add(Address, 1);
        claims.Add(Address, 1);
        Assert.That((claims.BelongsTo(Address, 1), claims.BelongsTo(Address, 2)), Is.EqualTo((true, false)));
        claims.Add(Address, 2);
        Assert.That((claims.BelongsTo(Address, 1), claims.BelongsTo(Address, 2)), Is.EqualTo((false, false)));
        claims.Remove(Address, 2);
        claims.Remove(Address, 1);
        Assert.That(claims.BelongsTo(Address, 1), Is.True, "one session of it still lives");
        claims.Remove(Address, 1);
        claims.Remove(Address, 1);
        Assert.That(claims.BelongsTo(Address, 1), Is.False);
    }
}
