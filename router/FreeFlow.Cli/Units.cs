using System.Globalization;

namespace FreeFlow.Cli;

/// <summary>Numbers as people read them.</summary>
internal static class Units
{
    private static readonly string[] Prefixes = ["", "K", "M", "G", "T", "P", "E"];

    /// <summary>Bytes in powers of 1024, three digits: 0, 812, 1.5K, 23M.</summary>
    public static string Bytes(long bytes)
    {
        double value = bytes;
        int prefix = 0;
        while (value >= 1000 && prefix < Prefixes.Length - 1) { value /= 1024; prefix++; }
        return value.ToString(prefix > 0 && value < 9.95 ? "0.0" : "0", CultureInfo.InvariantCulture) + Prefixes[prefix];
    }

    /// <summary>Seconds as 3s, 2m05s, 1h07m, 3d04h.</summary>
    public static string Duration(double seconds)
    {
        long whole = seconds is > 0 and < 1e12 ? (long)seconds : 0;
        if (whole < 60) return $"{whole}s";
        if (whole < 3600) return $"{whole / 60}m{whole % 60:00}s";
        if (whole < 86400) return $"{whole / 3600}h{whole / 60 % 60:00}m";
        return $"{whole / 86400}d{whole / 3600 % 24:00}h";
    }
}
