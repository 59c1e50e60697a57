using System;
using System.Collections.Generic;

namespace FreeFlow.Differential.Programs;

/// <summary>The way between two hosts is lost in the midst of a program: steps that mean nothing to the kernel.</summary>
public static class Losses
{
    /// <summary>In milliseconds: from at once to long enough for another ring (docs/fabric.md).</summary>
    private static readonly int[] s_pauses = [0, 0, 1, 5, 20, 150, 700];

    /// <summary>The same for the same seed.</summary>
    public static SocketProgram PutInto(SocketProgram program)
    {
        Random chance = new(program.Seed);
        List<string> steps = [.. program.Steps];
        for (int left = 1 + chance.Next(3); left > 0; left--)
        {
            int at = 1 + chance.Next(steps.Count);
            // Who sleeps on something else than its connections does not hear of the loss.
            steps.Insert(at, "* look");
            steps.Insert(at, $"* nap {s_pauses[chance.Next(s_pauses.Length)]}");
            steps.Insert(at, $"* lose {chance.Next(2)}");
        }
        return program with { Steps = steps };
    }
}
