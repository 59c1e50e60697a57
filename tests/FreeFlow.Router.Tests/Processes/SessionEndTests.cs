using System.Collections.Generic;
using System.Net;
using FreeFlow.Native;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Observe;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Policy;
using FreeFlow.Router.Sessions;
using NSubstitute;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>What is given back when a session ends, and how much of it at a time.</summary>
public sealed class SessionEndTests
{
    [Test]
    public void AnEndWithManyConnectionsIsDealtWithInParts()
    {
        const int parts = 3;
        Log log = new(false);
        using PolicyTable policy = new(null, new Dictionary<string, string>(), log, Substitute.For<FreeFlow.Locations.ILocations>());
        Broker broker = new(new RouterOptions(), Substitute.For<IKernelWitness>(), policy, new Statistics(), log);
        using FamilyMemory memory = new();
        Libc.fstat(memory.Memory, out FileStatus status);
        UserAccount account = new();
        Session session = new(1, -1, default, account, new Queue<Session>()) { Family = Family.TryOpen(Libc.fcntl(memory.Memory, Libc.F_DUPFD_CLOEXEC, 0), status, out _)! };
        InternetEndpoint point = new(InternetAddress.FromIPv4(IPAddress.Loopback.GetAddressBytes()), 1);
        for (uint i = 0; i < parts * Broker.EndsAtATime; i++)
        {
            session.Ends.Add(new ConnectionEnd(session, i, 0, new SocketFacts { Addresses = new FourTuple(point, point), Cookie = i + 1, NamespaceCookie = 1, Owner = NamespaceOwner.Host }));
            account.Connections++;
        }
        for (int part = 1; part <= parts; part++)
        {
            Assert.That(broker.EndSession(session), Is.EqualTo(part == parts));
            Assert.That((session.Ends.Count, account.Connections), Is.EqualTo(((parts - part) * Broker.EndsAtATime, (ulong)((parts - part) * Broker.EndsAtATime))));
        }
        session.Family.Release(account);
    }
}
