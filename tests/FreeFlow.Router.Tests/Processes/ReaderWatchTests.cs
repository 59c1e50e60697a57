using FreeFlow.Router.Sessions;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>What the event loop gives to the look at rings.</summary>
public sealed class ReaderWatchTests
{
    /// <summary>However long a look takes, for as many ends as there are: it has a fiftieth of the time.</summary>
    [TestCase(true, 0, 100)]
    [TestCase(true, 1, 100)]
    [TestCase(true, 10, 500)]
    [TestCase(false, 10, 1000)]
    [TestCase(false, 200, 10_000)]
    public void LooksHaveAFiftiethOfTheTime(bool isQuick, long cost, long pause) => Assert.That(ReaderWatch.Pause(isQuick, cost), Is.EqualTo(pause));
}
