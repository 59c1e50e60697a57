using System;
using FreeFlow.Router.Pairing;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Pairing;

/// <summary>Which sequence numbers are two ends of one connection.</summary>
public class InitialSequenceTests
{
    [TestCase(0u, 0u, true, Description = "the accepting end counts no SYN")]
    [TestCase(1u, 0u, true, Description = "the connecting end does")]
    [TestCase(1u, 1u, true, Description = "both have connected at once")]
    [TestCase(2u, 0u, false)]
    [TestCase(0u, 2u, false)]
    [TestCase(uint.MaxValue, 0u, false)]
    [TestCase(0u, uint.MaxValue, false)]
    [TestCase(1u << 31, 0u, false)]
    public void BothDirectionsMustHaveBegunTogether(uint there, uint back, bool expected)
    {
        Random random = new(1);
        for (int i = 0; i < 1000; i++)
        {
            // Near the end of the numbers, too.
            uint start = i % 2 == 0 ? (uint)random.NextInt64(1L << 32) : unchecked((uint)-random.Next(3)), other = i % 4 < 2 ? (uint)random.NextInt64(1L << 32) : unchecked((uint)-random.Next(3));
            InitialSequence first = new(start, unchecked(other + back)), second = new(other, unchecked(start + there));
            Assert.That((first.IsOtherEndOf(second), second.IsOtherEndOf(first)), Is.EqualTo((expected, expected)), $"{start} {other}");
        }
    }
}
