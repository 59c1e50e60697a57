using System.Linq;
using FreeFlow.Differential.Programs;

namespace FreeFlow.Differential.Running;

/// <summary>Compares two outcomes of a program.</summary>
public static class Comparison
{
    /// <summary>The first difference that is not tolerated; null if there is none.</summary>
    public static Difference? Compare(SocketProgram program, Outcome kernel, Outcome ring, Road road)
    {
        for (int i = 0; i < program.Steps.Count; i++)
        {
            Answer? expected = kernel.Answers[i], actual = ring.Answers[i];
            if (AreSame(expected, actual) || Tolerances.All.Any(tolerance => tolerance.Covers(new Step(program.Steps[i], i, expected, actual, road)))) continue;
            return new Difference(i, program.Steps[i], expected, actual);
        }
        return null;
    }

    private static bool AreSame(Answer? expected, Answer? actual)
    {
        if (expected is null || actual is null) return expected is null && actual is null;
        // Those that slept to the end were woken by what cleaned up.
        return expected.WokenAt == actual.WokenAt && (expected.WokenAt < 0 || expected.Text == actual.Text);
    }
}
