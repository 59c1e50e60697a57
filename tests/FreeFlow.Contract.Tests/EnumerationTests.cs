using System;
using System.Linq;
using NUnit.Framework;

namespace FreeFlow.Contract.Tests;

/// <summary>Numbers that travel between builds. A new one is appended here too; a changed one is an error.</summary>
public sealed class EnumerationTests
{
    [TestCase(typeof(HandoverState), "Kernel Ready Ring Back")]
    [TestCase(typeof(RecallState), "None Asked TakenUp Withdrawn Unheard UnheardAndAsked")]
    [TestCase(typeof(ReturnerState), "None Writer Router Paused Done")]
    [TestCase(typeof(RefillState), "Asked Able Filled Done Failed")]
    [TestCase(typeof(LeavingState), "Not Left ShutDown")]
    [TestCase(typeof(ConnectionState), "Free Kernel Offered Joined RingSharedMemory RingRdma RingFabric HandedBack Closed")]
    [TestCase(typeof(Reason),
        "None NotYetOffered NoRouter PeerNotOffered SharedByFork NestedEpoll UnprovenNamespace AmbiguousAddress OutsidePrefix DescriptorLimit " +
        "MemoryLimit CorruptRing KernelOnlyOption Disabled PeerClosed BytesOutOfSight StandardIoStream Exec DescriptorPassed VersionMismatch " +
        "RouterLimit NotEstablished PeerGone TableFull NoWitness Busy Sandboxed AnotherRoad ClosedRegistration Policy WayLost Translated LabelsUnknown UntrustedRouter ReadinessOutOfSight")]
    public void NamesCountFromZero(Type enumeration, string names)
    {
        string[] expected = names.Split(' ').Select((name, number) => $"{name}={number}").ToArray();
        string[] actual = Enum.GetValues(enumeration).Cast<object>().Select(v => $"{v}={Convert.ToUInt32(v, null)}").ToArray();
        Assert.That(actual.Take(expected.Length), Is.EqualTo(expected));
        Assert.That(Enum.GetUnderlyingType(enumeration), Is.EqualTo(typeof(uint)));
    }
}
