using System;
using System.Collections.Generic;
using System.IO;

namespace FreeFlow.Service;

/// <summary>A daemon's options in a file: one a line, without dashes, the value behind it; '#' begins a comment at the beginning of a line.</summary>
public static class OptionFile
{
    private const string Option = "--config";

    /// <summary>Puts the options of the file that <c>--config FILE</c> names before the others, which so win. Throws <see cref="FormatException"/> or <see cref="IOException"/> with one line.</summary>
    public static string[] Expand(string[] arguments)
    {
        int index = Array.FindIndex(arguments, argument => argument == Option || argument.StartsWith(Option + "=", StringComparison.Ordinal));
        if (index < 0) return arguments;
        bool joined = arguments[index].Length > Option.Length;
        if (!joined && index + 1 == arguments.Length) throw new FormatException($"{Option} needs a file after it.");
        string path = joined ? arguments[index][(Option.Length + 1)..] : arguments[index + 1];
        return [.. Parse(path, File.ReadAllText(path)), .. arguments[..index], .. arguments[(index + (joined ? 1 : 2))..]];
    }

    private static List<string> Parse(string path, string text)
    {
        List<string> options = [];
        int number = 0;
        foreach (string raw in text.Split('\n'))
        {
            number++;
            string line = raw.Trim();
            if (line.Length == 0 || line[0] == '#') continue;
            int blank = line.IndexOfAny([' ', '\t']);
            string name = blank < 0 ? line : line[..blank];
            if (name[0] == '-' || name.Contains('=', StringComparison.Ordinal)) throw new FormatException($"{path}, line {number}: write the option's name without dashes, a blank, and its value.");
            options.Add(blank < 0 ? $"--{name}" : $"--{name}={line[blank..].Trim()}");
        }
        return options;
    }
}
