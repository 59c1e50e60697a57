using System.Linq;
using System.Net;
using FreeFlow.Contract;
using FreeFlow.Router.Pairing;
using NSubstitute;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Pairing;

/// <summary>What proves a pair, rule by rule, with a kernel that says what the test wants.</summary>
public class PairingTableTests
{
    private const ulong NetworkA = 11, NetworkB = 22, NetworkX = 33;
    private const string AddressA = "10.0.0.1:40000", AddressB = "10.0.0.2:6379";

    private IKernelWitness _witness = null!;
    private PairingTable _table = null!;
    private ulong _nextCookie;

    [SetUp]
    public void SetUp()
    {
        _witness = Substitute.For<IKernelWitness>();
        _witness.Ask(Arg.Any<SocketFacts>()).Returns(Liveness.Established);
        _table = new PairingTable(_witness);
        _nextCookie = 100;
    }

    [Test]
    public void MirroredEndsOfOneNamespaceAreAPair()
    {
        ConnectionEnd first = End(AddressA, AddressB, NetworkA), second = End(AddressB, AddressA, NetworkA);
        Assert.That(_table.Offer(first).Partner, Is.Null);
        Assert.That(_table.Offer(second).Partner, Is.SameAs(first));
        Assert.That(_table.Waiting, Is.Zero);
    }

    [Test]
    public void OneNamespaceProvesWhoeverOwnsIt([Values] bool known)
    {
        NamespaceOwner owner = known ? NamespaceOwner.Other : NamespaceOwner.Unknown;
        ConnectionEnd first = End(AddressA, AddressB, NetworkA, owner);
        _table.Offer(first);
        Assert.That(_table.Offer(End(AddressB, AddressA, NetworkA, owner)).Partner, Is.SameAs(first));
    }

    [Test]
    public void EndsThatAreNotMirroredBothWait()
    {
        _table.Offer(End(AddressA, AddressB, NetworkA));
        Assert.That(_table.Offer(End(AddressA, AddressB, NetworkA)).Partner, Is.Null);
        Assert.That(_table.Offer(End(AddressB, "10.0.0.1:40001", NetworkA)).Partner, Is.Null);
        Assert.That(_table.Waiting, Is.EqualTo(3));
    }

    [Test]
    public void AMappedAddressEqualsItsIPv4Address()
    {
        ConnectionEnd first = End(AddressA, AddressB, NetworkA);
        _table.Offer(first);
        Assert.That(_table.Offer(End("[::ffff:10.0.0.2]:6379", "[::ffff:10.0.0.1]:40000", NetworkA)).Partner, Is.SameAs(first));
    }

    [Test]
    public void SocketsBoundToDifferentInterfacesAreNoPair()
    {
        _table.Offer(End(AddressA, AddressB, NetworkA));
        ConnectionEnd bound = End(AddressB, AddressA, NetworkA, boundInterface: 3);
        Assert.That(_table.Offer(bound).Partner, Is.Null);
    }

    [Test]
    public void HostNamespacesThatAloneHaveTheirAddressesAreAPair()
    {
        ConnectionEnd first = End(AddressA, AddressB, NetworkA), second = End(AddressB, AddressA, NetworkB);
        _table.Offer(first);
        Assert.That(_table.Offer(second).Partner, Is.SameAs(first));
    }

    [Test]
    public void AStrangersNamespaceIsRefusedAndTheTruePairStillJoins()
    {
        ConnectionEnd first = End(AddressA, AddressB, NetworkA), attacker = End(AddressB, AddressA, NetworkX, NamespaceOwner.Other);
        _table.Offer(first);
        PairingOutcome attack = _table.Offer(attacker);
        Assert.That(attack.Partner, Is.Null);
        Assert.That(attack.Refused, Is.EqualTo(new[] { (attacker, Reason.UnprovenNamespace) }));
        Assert.That(_table.Offer(End(AddressB, AddressA, NetworkB)).Partner, Is.SameAs(first));
    }

    [Test]
    public void AStrangerThatWaitsFirstIsRefusedWhenTheVictimComes()
    {
        ConnectionEnd attacker = End(AddressB, AddressA, NetworkX, NamespaceOwner.Other), first = End(AddressA, AddressB, NetworkA);
        _table.Offer(attacker);
        PairingOutcome outcome = _table.Offer(first);
        Assert.That(outcome.Partner, Is.Null);
        Assert.That(outcome.Refused, Is.EqualTo(new[] { (attacker, Reason.UnprovenNamespace) }));
        Assert.That(_table.Offer(End(AddressB, AddressA, NetworkB)).Partner, Is.SameAs(first));
    }

    [Test]
    public void AForgedEndOfAHostNamespaceWaitsAndTheTruePairStillJoins([Values] bool forgedIsFirst)
    {
        ConnectionEnd first = End(AddressA, AddressB, NetworkA), forged = Forged(AddressB, AddressA, NetworkX);
        PairingOutcome outcome = new();
        foreach (ConnectionEnd end in forgedIsFirst ? new[] { forged, first } : [first, forged]) outcome = _table.Offer(end);
        Assert.That((outcome.Partner, outcome.Refused.Count), Is.EqualTo(((ConnectionEnd?)null, 0)), "nobody can tell which of them is forged");
        Assert.That(_table.Offer(End(AddressB, AddressA, NetworkB)).Partner, Is.SameAs(first));
    }

    [Test]
    public void NobodyMayGuessForEver()
    {
        ConnectionEnd first = End(AddressA, AddressB, NetworkA);
        _table.Offer(first);
        for (int guess = 1; guess < PairingTable.MostContradictions; guess++) Assert.That(_table.Offer(Forged(AddressB, AddressA, NetworkX)).Refused, Is.Empty);
        PairingOutcome last = _table.Offer(Forged(AddressB, AddressA, NetworkX));
        Assert.That(last.Refused, Is.EqualTo(new[] { (first, Reason.AmbiguousAddress) }));
        Assert.That(_table.Offer(End(AddressB, AddressA, NetworkX)).Partner, Is.Null, "not even by the right one");
    }

    [Test]
    public void AnEndAmongManyForgedOnesIsRefused()
    {
        for (ulong network = 1; network <= PairingTable.MostContradictions; network++) _table.Offer(Forged(AddressB, AddressA, 1000 + network));
        ConnectionEnd end = End(AddressA, AddressB, NetworkA);
        PairingOutcome outcome = _table.Offer(end);
        Assert.That((outcome.Partner, outcome.Refused.Last()), Is.EqualTo(((ConnectionEnd?)null, (end, Reason.AmbiguousAddress))));
    }

    [Test]
    public void AClosedEndThatMirrorsIsNoForgery()
    {
        ConnectionEnd closed = Forged(AddressB, AddressA, NetworkX), first = End(AddressA, AddressB, NetworkA);
        _witness.Ask(closed.Facts).Returns(Liveness.Gone);
        _table.Offer(closed);
        Assert.That(_table.Offer(first).Refused, Is.EqualTo(new[] { (closed, Reason.PeerGone) }));
        Assert.That(first.Contradictions, Is.Zero);
    }

    [Test]
    public void AcrossNamespacesNothingIsProvenWithoutSequenceNumbers([Values] bool newcomer)
    {
        ConnectionEnd blind = End(AddressA, AddressB, NetworkA, hasSequence: false), other = End(AddressB, AddressA, NetworkB);
        _table.Offer(newcomer ? other : blind);
        PairingOutcome outcome = _table.Offer(newcomer ? blind : other);
        Assert.That((outcome.Partner, outcome.Refused.Single()), Is.EqualTo(((ConnectionEnd?)null, (blind, Reason.NoWitness))));
    }

    [Test]
    public void InsideOneNamespaceNoneAreNeeded()
    {
        ConnectionEnd first = End(AddressA, AddressB, NetworkA, hasSequence: false);
        _table.Offer(first);
        Assert.That(_table.Offer(End(AddressB, AddressA, NetworkA, hasSequence: false)).Partner, Is.SameAs(first));
    }

    [TestCase("127.0.0.1:5", "127.0.0.1:6")]
    [TestCase("[::1]:5", "[::1]:6")]
    [TestCase("[fe80::1]:5", "[fe80::2]:6")]
    [TestCase("169.254.1.1:5", "169.254.1.2:6")]
    public void LocalAddressesMeanNothingOutsideTheirNamespace(string local, string remote)
    {
        ConnectionEnd first = End(local, remote, NetworkA);
        _table.Offer(first);
        PairingOutcome outcome = _table.Offer(End(remote, local, NetworkB));
        Assert.That(outcome.Partner, Is.Null);
        Assert.That(outcome.Refused, Is.Empty);
        Assert.That(_table.Offer(End(remote, local, NetworkA)).Partner, Is.SameAs(first));
    }

    [Test]
    public void AnEndThatClosedWhileItWaitedIsDroppedAndTheNewcomerWaits()
    {
        ConnectionEnd closed = End(AddressA, AddressB, NetworkA), second = End(AddressB, AddressA, NetworkA);
        _witness.Ask(closed.Facts).Returns(Liveness.Gone);
        _table.Offer(closed);
        PairingOutcome outcome = _table.Offer(second);
        Assert.That(outcome.Partner, Is.Null);
        Assert.That(outcome.Refused, Is.EqualTo(new[] { (closed, Reason.PeerGone) }));
        ConnectionEnd real = End(AddressA, AddressB, NetworkA);
        Assert.That(_table.Offer(real).Partner, Is.SameAs(second));
    }

    [Test]
    public void WithoutAWitnessThereIsNoPair()
    {
        ConnectionEnd first = End(AddressA, AddressB, NetworkA), second = End(AddressB, AddressA, NetworkA);
        _witness.Ask(Arg.Any<SocketFacts>()).Returns(Liveness.Unavailable);
        _table.Offer(first);
        Assert.That(_table.Offer(second).Refused, Is.EquivalentTo(new[] { (first, Reason.NoWitness), (second, Reason.NoWitness) }));
    }

    [Test]
    public void ANamespaceTheRouterCannotJudgeHasNoWitness()
    {
        _table.Offer(End(AddressA, AddressB, NetworkA));
        ConnectionEnd unknown = End(AddressB, AddressA, NetworkB, NamespaceOwner.Unknown);
        Assert.That(_table.Offer(unknown).Refused.Single(), Is.EqualTo((unknown, Reason.NoWitness)));
    }

    [Test]
    public void TheSameSocketShownAgainReplacesItself()
    {
        ConnectionEnd first = End(AddressA, AddressB, NetworkA);
        ConnectionEnd again = new(Owner(), 7, 1, first.Facts);
        _table.Offer(first);
        Assert.That(_table.Offer(again).Forgotten, Is.EqualTo(new[] { first }));
        Assert.That(_table.Offer(End(AddressB, AddressA, NetworkA)).Partner, Is.SameAs(again));
    }

    [Test]
    public void ASocketConnectedToItselfIsNoPair()
    {
        ConnectionEnd self = End(AddressA, AddressA, NetworkA);
        _table.Offer(self);
        Assert.That(_table.Offer(new ConnectionEnd(Owner(), 7, 1, self.Facts)).Partner, Is.Null);
    }

    [Test]
    public void AnEndWhoseRecordMovedOnIsForgotten()
    {
        IConnectionOwner owner = Substitute.For<IConnectionOwner>();
        ConnectionEnd first = new(owner, 1, 1, End(AddressA, AddressB, NetworkA).Facts);
        _table.Offer(first);
        PairingOutcome outcome = _table.Offer(End(AddressB, AddressA, NetworkA));
        Assert.That((outcome.Partner, outcome.Forgotten.Single()), Is.EqualTo(((ConnectionEnd?)null, first)));
    }

    [Test]
    public void AWithdrawnEndNoLongerWaits()
    {
        ConnectionEnd first = End(AddressA, AddressB, NetworkA);
        _table.Offer(first);
        _table.Withdraw(first);
        _table.Withdraw(first);
        Assert.That(_table.Offer(End(AddressB, AddressA, NetworkA)).Partner, Is.Null);
    }

    private ConnectionEnd End(string local, string remote, ulong network, NamespaceOwner owner = NamespaceOwner.Host, int boundInterface = 0, bool hasSequence = true) =>
        End(local, remote, network, owner, boundInterface, hasSequence ? new InitialSequence(Start(local, remote), Start(remote, local)) : null);

    /// <summary>One of a connection with the same addresses in another place.</summary>
    private ConnectionEnd Forged(string local, string remote, ulong network) =>
        End(local, remote, network, NamespaceOwner.Host, 0, new InitialSequence(Start(local, remote) + 1000 + (uint)_nextCookie, Start(remote, local) + 1000 + (uint)_nextCookie));

    private ConnectionEnd End(string local, string remote, ulong network, NamespaceOwner owner, int boundInterface, InitialSequence? sequence) =>
        new(Owner(), 1, 1, new SocketFacts
        {
            Addresses = new FourTuple(Endpoint(local), Endpoint(remote)), Cookie = ++_nextCookie, NamespaceCookie = network, Owner = owner, BoundInterface = boundInterface, Sequence = sequence,
        });

    /// <summary>Where the direction between the two began.</summary>
    private static uint Start(string from, string to) => (uint)(from, to).GetHashCode();

    private static IConnectionOwner Owner()
    {
        IConnectionOwner owner = Substitute.For<IConnectionOwner>();
        owner.IsCurrent(Arg.Any<uint>(), Arg.Any<uint>()).Returns(true);
        return owner;
    }

    private static InternetEndpoint Endpoint(string text)
    {
        IPEndPoint parsed = IPEndPoint.Parse(text);
        byte[] bytes = parsed.Address.GetAddressBytes();
        return new InternetEndpoint(bytes.Length == 4 ? InternetAddress.FromIPv4(bytes) : InternetAddress.FromIPv6(bytes), (ushort)parsed.Port);
    }
}
