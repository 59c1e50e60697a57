using System;
using FreeFlow.Differential.Programs;

namespace FreeFlow.Differential.Running;

/// <summary>Leaves out steps while the program still fails.</summary>
public static class Shrinker
{
    /// <summary>The shortest program found for which <paramref name="fails"/> holds, or the given one when that is left of it.</summary>
    public static SocketProgram Shrink(SocketProgram program, Func<SocketProgram, bool> fails)
    {
        for (int count = Math.Max(1, program.Steps.Count / 2); ; count = Math.Max(1, count / 2))
        {
            bool shorter = false;
            for (int first = program.Steps.Count - count; first >= 0; first -= count)
            {
                SocketProgram less = program.Without(first, count);
                if (less.Steps.Count == 0 || !fails(less)) continue;
                program = less;
                shorter = true;
                first = Math.Min(first, program.Steps.Count);
            }
            if (count == 1 && !shorter) return program;
        }
    }
}
