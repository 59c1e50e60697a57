using System;
using System.Globalization;
using System.Text;

namespace FreeFlow.Native;

/// <summary>
/// Text that somebody else chose, made fit for a terminal. What cannot be seen, or changes the order or the place of what stands around it, becomes a question mark: control and format characters
/// (bidirectional marks and isolates among them), line separators, broken UTF-8, and characters that the Unicode standard calls default ignorable or draws as nothing.
/// </summary>
public static class PrintableText
{
    private const char Replacement = '?';

    public static string Of(ReadOnlySpan<byte> utf8) => Of(Encoding.UTF8.GetString(utf8));

    public static string Of(string text)
    {
        int first = 0;
        while (first < text.Length && IsShown(text[first])) first++;
        if (first == text.Length) return text;
        char[] shown = text.ToCharArray();
        for (int i = first; i < shown.Length; i++)
        {
            if (!IsShown(shown[i])) shown[i] = Replacement;
        }
        return new string(shown);
    }

    /// <summary>The same for text of several lines.</summary>
    public static string OfLines(string text) => string.Join('\n', Array.ConvertAll(text.Split('\n'), Of));

    private static bool IsShown(char character) => character is >= ' ' and <= '~' || (character > '\u009f' && IsVisible(character));

    private static bool IsVisible(char character) => CharUnicodeInfo.GetUnicodeCategory(character) switch
    {
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned => false,
        UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator or UnicodeCategory.EnclosingMark => false,
        _ => !IsBlank(character),
    };

    /// <summary>Letters, marks and symbols that are drawn as nothing: grapheme joiner, Hangul fillers, Khmer inherent vowels, Mongolian and other variation selectors, the Braille blank, and what stands for objects and for what was no UTF-8.</summary>
    private static bool IsBlank(char character) => character is '\u034f' or '\u115f' or '\u1160' or '\u17b4' or '\u17b5' or (>= '\u180b' and <= '\u180f')
        or '\u2800' or '\u3164' or (>= '\ufe00' and <= '\ufe0f') or '\uffa0' or '\ufffc' or '\ufffd';
}
