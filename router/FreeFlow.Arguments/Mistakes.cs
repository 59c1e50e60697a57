using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.IO;
using System.Linq;

namespace FreeFlow.Arguments;

/// <summary>Says what is wrong with a command line: one line that names the word and the mend.</summary>
internal static class Mistakes
{
    /// <summary>The first mistake, behind the names of the commands that it is in.</summary>
    public static string First(ParseResult read)
    {
        Command command = read.CommandResult.Command;
        if (read.UnmatchedTokens is [var word, ..])
        {
            if (word.StartsWith('-')) return UnknownOption(command, word);
            return Path(command) + (command.Subcommands.Count == 0
                ? $"'{word}' is one word too many; {HelpOf(command)} shows what there is."
                : $"unknown command '{word}'; {Likely(command, word)}{HelpOf(command)} lists them.");
        }
        ParseError error = read.Errors[0];
        if (error.SymbolResult is ArgumentResult { Tokens.Count: 0 } && command.Arguments.Count > 0)
            return $"{Path(command, read.CommandResult.Tokens)}give {Names(command.Arguments, " ")}.";
        return Path(command) + error.SymbolResult switch
        {
            OptionResult { Tokens.Count: 0 } option => $"{option.Option.Name} needs a value after it.",
            CommandResult { Command.Subcommands.Count: > 0 } => $"say what: {Names(command.Subcommands, ", ")}.",
            CommandResult => $"give {Names(command.Arguments, " ")}.",
            _ => error.Message,
        };
    }

    /// <summary>What to say to an option that nobody knows.</summary>
    public static string UnknownOption(Command command, string word)
    {
        string mend = command.Arguments.Any(argument => argument is CommandArgument)
            ? "put -- before the command, if it is no option of ours."
            : $"{HelpOf(command)} lists them.";
        return $"{Path(command)}unknown option {word}; {Likely(command, word.Split('=')[0])}{mend}";
    }

    /// <summary>Options that may stand behind the command: its own, and those of its parents that hold for their children.</summary>
    public static IEnumerable<Option> OptionsOf(Command command) =>
        command.Options.Concat(Parents(command).SelectMany(parent => parent.Options).Where(option => option.Recursive));

    // The parser's own action knows what is alike; it writes a headline, and a line for each.
    private static string Likely(Command command, string word)
    {
        RootCommand known = new();
        known.Options.Clear();
        foreach (Option option in OptionsOf(command)) known.Options.Add(option);
        foreach (Command child in command.Subcommands) known.Subcommands.Add(child);
        StringWriter told = new();
        ParseResult read = known.Parse([word]);
        if (read.Action is not ParseErrorAction action) return "";
        action.ShowHelp = false;
        read.Invoke(new InvocationConfiguration { Output = told, Error = TextWriter.Null });
        // Of short words, most are alike: those that begin otherwise are left out.
        char first = word.TrimStart('-') is [var letter, ..] ? letter : '-';
        string[] alike = told.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string[] likely = [.. alike.Skip(1).Where(like => like.TrimStart('-')[0] == first)];
        return likely.Length == 0 ? "" : $"did you mean {string.Join(" or ", likely)}? ";
    }

    private static string HelpOf(Command command) => $"{string.Join(' ', Parents(command).Reverse().Append(command).Select(Name))} --help";

    private static string Name(Command command) => command is RootCommand { HelpName: { } program } ? program : command.Name;

    private static string Names(IEnumerable<Symbol> symbols, string separator) => string.Join(separator, symbols.Select(symbol => symbol.Name));

    // The commands down to this one, and the words that stand behind it.
    private static string Path(Command command, params IEnumerable<Token> words)
    {
        string path = Names(Parents(command).Reverse().Append(command).Where(each => each is not RootCommand), " ")
            + string.Concat(words.Select(word => $" {word.Value}"));
        return path.Length > 0 ? $"{path}: " : "";
    }

    private static IEnumerable<Command> Parents(Command command)
    {
        while (command.Parents.OfType<Command>().FirstOrDefault() is { } parent)
        {
            yield return parent;
            command = parent;
        }
    }
}
