using FreeFlow.Contract;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>Tests with a router and an honest program beside whoever is hostile: that program's connections are joined as ever.</summary>
public abstract class BystanderTests
{
    private protected RouterUnderTest Router { get; private set; } = null!;

    private protected FakeShim Bystander { get; private set; } = null!;

    [SetUp]
    public void SetUp()
    {
        Router = RouterUnderTest.Start();
        Bystander = FakeShim.Greeted(Router, "bystander");
    }

    [TearDown]
    public void TearDown()
    {
        Bystander.Dispose();
        Router.Dispose();
    }

    private protected void AssertOthersUndisturbed() => AssertAreJoined(Bystander);

    private protected static void AssertAreJoined(FakeShim shim)
    {
        using TcpPair pair = TcpPair.Loopback();
        shim.Offer(1, pair.Client);
        shim.Offer(2, pair.Server);
        using Received first = shim.Receive(), second = shim.Receive();
        Assert.That((first.Type, second.Type), Is.EqualTo((MessageType.Join, MessageType.Join)));
    }
}
