using System;
using System.Globalization;
using System.Linq;
using System.Text.RegularExpressions;
using FreeFlow.Lab;

namespace FreeFlow.Bench;

/// <summary>Reading numbers out of programs' output and writing them for people.</summary>
internal static class Text
{
    /// <summary>The number in the first group of <paramref name="pattern"/>; throws with the text when it is not there.</summary>
    internal static double Find(string text, string pattern)
    {
        Match match = Regex.Match(text, pattern, RegexOptions.Multiline);
        return match.Success ? double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : throw new LabException($"No '{pattern}' in: {text.Trim()}");
    }

    /// <summary>Three significant digits, thousands grouped.</summary>
    internal static string Figure(double value)
    {
        if (!double.IsFinite(value)) return "–";
        double size = Math.Abs(value);
        string format = size >= 100 ? "#,0" : size >= 10 ? "0.0" : size >= 1 ? "0.00" : size > 0 ? "0.000" : "0";
        return value.ToString(format, CultureInfo.InvariantCulture);
    }

    /// <summary>"4.1 MiB".</summary>
    internal static string Bytes(double bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        int unit = 0;
        for (; bytes >= 1024 && unit < units.Length - 1; unit++) bytes /= 1024;
        return $"{Figure(bytes)} {units[unit]}";
    }

    /// <summary>The middle value; of an even number of values the mean of the middle two; NaN of none.</summary>
    internal static double Median(params double[] values)
    {
        double[] sorted = values.Where(double.IsFinite).Order().ToArray();
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
