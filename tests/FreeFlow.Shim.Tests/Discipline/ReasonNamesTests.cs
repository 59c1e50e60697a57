using System;
using System.Text;
using FreeFlow.Contract;
using FreeFlow.Shim.Control;
using NUnit.Framework;

namespace FreeFlow.Shim.Tests.Discipline;

/// <summary>What FREEFLOW_STRICT says is what the enumeration and the documentation call it.</summary>
public sealed class ReasonNamesTests
{
    [Test]
    public void EveryReasonHasItsName([Values] Reason reason) =>
        Assert.That(Encoding.ASCII.GetString(ReasonNames.Of(reason)), Is.EqualTo(Enum.GetName(reason)));
}
