using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Invocation;
using System.Linq;

namespace FreeFlow.Arguments;

/// <summary>Reads command lines.</summary>
public static class CommandLineReader
{
    // A word that begins with @ is a word: no file is read for it.
    private static readonly ParserConfiguration s_configuration = new() { EnablePosixBundling = false, ResponseFileTokenReplacer = null };

    /// <summary>Reads a command line; throws <see cref="UsageException"/> for the first mistake in it.</summary>
    public static ParseResult Read(Command command, IReadOnlyList<string> words)
    {
        ParseResult read = command.Parse(Prepare(command, words), s_configuration);
        bool wrong = read.Action is ParseErrorAction || (read.Errors.Count > 0 && read.Action is null);
        return wrong ? throw new UsageException(Mistakes.First(read)) : read;
    }

    /// <summary>
    /// Answers a root without an action of its own that is asked for help, its version or completions, and returns its exit code; null: it was
    /// asked for none of them.
    /// </summary>
    public static int? Answer(RootCommand root, IReadOnlyList<string> words)
    {
        ParseResult read = root.Parse(words, s_configuration);
        return read.Action is null or ParseErrorAction ? null : read.Invoke();
    }

    /// <summary>
    /// Says in the parser's way where a command to start begins, <c>--</c>, and what is an empty value, a word by itself: the value of
    /// <c>--option=</c> would be the next word.
    /// </summary>
    private static List<string> Prepare(Command command, IReadOnlyList<string> words)
    {
        List<string> prepared = [];
        for (int i = 0; i < words.Count; i++)
        {
            string word = words[i];
            if (word == "--") return [.. prepared, .. words.Skip(i)];
            if (!word.StartsWith('-'))
            {
                if (command.Subcommands.FirstOrDefault(child => child.Name == word) is { } child) command = child;
                else if (StartsCommand(command)) return [.. prepared, "--", .. words.Skip(i)];
                prepared.Add(word);
                continue;
            }
            int equals = word.IndexOf('=', StringComparison.Ordinal);
            Option? option = Find(command, equals < 0 ? word : word[..equals]);
            if (option is null && StartsCommand(command)) throw new UsageException(Mistakes.UnknownOption(command, word));
            if (option is null || equals != word.Length - 1) prepared.Add(word);
            else prepared.AddRange([word[..equals], ""]);
            if (equals < 0 && option is { Arity.MinimumNumberOfValues: > 0 } && i + 1 < words.Count) prepared.Add(words[++i]);
        }
        return prepared;
    }

    private static bool StartsCommand(Command command) => command.Arguments.Any(argument => argument is CommandArgument);

    private static Option? Find(Command command, string name) =>
        Mistakes.OptionsOf(command).FirstOrDefault(option => option.Name == name || option.Aliases.Contains(name));
}
