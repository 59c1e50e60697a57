using System;
using System.Globalization;

namespace FreeFlow.Rdma.Hardware;

/// <summary>Reads a port's rate as sysfs has it: "100 Gb/sec (4X EDR)", "2.5 Gb/sec (1X SDR)".</summary>
internal static class PortRate
{
    /// <summary>The rate in Mbit/s, or nothing where the text is none.</summary>
    internal static uint? Parse(string text)
    {
        string[] words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length < 2 || !decimal.TryParse(words[0], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture,
            out decimal number)) return null;
        decimal unit = words[1] switch { "Mb/sec" => 1, "Gb/sec" => 1000, "Tb/sec" => 1000000, _ => 0 };
        return unit != 0 && number > 0 && number <= uint.MaxValue / unit ? (uint)(number * unit) : null;
    }
}
