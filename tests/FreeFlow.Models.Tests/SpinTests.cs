using NUnit.Framework;

namespace FreeFlow.Models.Tests;

/// <summary>What counts as a complete search.</summary>
[TestFixture]
public sealed class SpinTests
{
    private const string Good = "Full statespace search for:\nState-vector 104 byte, depth reached 196, errors: 0\n  8475549 states, stored\n";

    [Test]
    public void A_full_search_is_complete()
    {
        Exploration found = Spin.Read(Good);
        Assert.Multiple(() =>
        {
            Assert.That(found.Errors, Is.Zero);
            Assert.That(found.States, Is.EqualTo(8475549));
            Assert.That(found.IsComplete);
        });
    }

    [TestCase("error: max search depth too small\n")]
    [TestCase("Warning: Search not completed\n")]
    [TestCase("pan: out of memory\n")]
    public void A_search_that_hit_a_bound_is_not(string complaint) => Assert.That(Spin.Read(complaint + Good).IsComplete, Is.False);
}
