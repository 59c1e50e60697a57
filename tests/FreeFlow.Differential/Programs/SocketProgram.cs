using System.Collections.Generic;
using System.Linq;

namespace FreeFlow.Differential.Programs;

/// <summary>A program of socket calls: what each actor does, in the order of the steps. The words are those of native/*.c.</summary>
/// <param name="Seed">What made it.</param>
/// <param name="Steps">One line each.</param>
public sealed record SocketProgram(int Seed, IReadOnlyList<string> Steps)
{
    /// <summary>As the stage reads it.</summary>
    public string Text => string.Concat(Steps.Select(step => step + "\n")) + "end\n";

    /// <summary>The same without the steps from <paramref name="first"/> on.</summary>
    public SocketProgram Without(int first, int count) => this with { Steps = [.. Steps.Take(first), .. Steps.Skip(first + count)] };
}
