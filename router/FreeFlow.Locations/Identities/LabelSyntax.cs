using System;

namespace FreeFlow.Locations.Identities;

/// <summary>What Kubernetes allows as keys and values of labels (kubernetes.io, "Labels and Selectors").</summary>
public static class LabelSyntax
{
    private const int LongestPrefix = 253, LongestName = 63;

    /// <summary>"app" or "example.org/app".</summary>
    public static bool IsKey(string key)
    {
        int slash = key.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0) return IsName(key);
        return slash is > 0 and <= LongestPrefix && IsWord(key.AsSpan(0, slash)) && IsName(key.AsSpan(slash + 1));
    }

    /// <summary>The same without a prefix, or nothing.</summary>
    public static bool IsValue(string value) => value.Length == 0 || IsName(value);

    private static bool IsName(ReadOnlySpan<char> text) => text.Length <= LongestName && IsWord(text);

    private static bool IsWord(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || !char.IsAsciiLetterOrDigit(text[0]) || !char.IsAsciiLetterOrDigit(text[^1])) return false;
        foreach (char letter in text) if (!char.IsAsciiLetterOrDigit(letter) && letter is not ('-' or '_' or '.')) return false;
        return true;
    }
}
