using System.Collections.Generic;
using System.Globalization;

namespace FreeFlow.Differential.Running;

/// <summary>What a program did on one road.</summary>
/// <param name="Answers">By step; null: no answer came.</param>
/// <param name="Bytes">Read by all actors.</param>
/// <param name="RingBytes">Of these, those that no kernel socket has carried (TCP_INFO).</param>
/// <param name="Broken">An actor or process was lost.</param>
public sealed record Outcome(Answer?[] Answers, long Bytes, long RingBytes, bool Broken)
{
    /// <summary>Reads the stage's lines "step: text" and "step@step: text".</summary>
    public static Outcome Parse(IEnumerable<string> lines, int steps)
    {
        Answer?[] answers = new Answer?[steps];
        long bytes = 0, ringBytes = 0;
        bool broken = true;
        foreach (string line in lines)
        {
            string[] words = line.Split(' ');
            if (words[0] is "over" or "broken")
            {
                (bytes, ringBytes) = (long.Parse(words[1], CultureInfo.InvariantCulture), long.Parse(words[2], CultureInfo.InvariantCulture));
                broken = words[0] == "broken";
                continue;
            }
            int colon = line.IndexOf(':'), at = line.IndexOf('@');
            if (colon < 0) continue;
            bool woken = at >= 0 && at < colon;
            if (!int.TryParse(line[..(woken ? at : colon)], CultureInfo.InvariantCulture, out int step) || step >= steps) continue;
            string text = line[(colon + 1)..].Trim();
            int wokenAt = !woken ? (text == "blocked" ? -1 : step) : int.TryParse(line[(at + 1)..colon], CultureInfo.InvariantCulture, out int by) ? by : -1;
            answers[step] = new Answer(text, wokenAt);
        }
        return new Outcome(answers, bytes, ringBytes, broken);
    }
}
