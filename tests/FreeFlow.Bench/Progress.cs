using System;

namespace FreeFlow.Bench;

/// <summary>What is going on now: one line that replaces itself on a terminal, a line for each new step elsewhere.</summary>
internal static class Progress
{
    private static string s_step = "";

    /// <summary>Shows a step and what of it is being done.</summary>
    internal static void Show(string step, string detail)
    {
        if (!Console.IsOutputRedirected)
        {
            string line = $"{step}: {detail}";
            Console.Write($"\r{line[..Math.Min(line.Length, Math.Max(20, Console.WindowWidth - 1))]}\u001b[K");
        }
        else if (step != s_step)
        {
            Console.WriteLine(step);
        }
        s_step = step;
    }

    /// <summary>Takes the line away.</summary>
    internal static void Clear()
    {
        if (!Console.IsOutputRedirected) Console.Write("\r\u001b[K");
    }
}
