using System;
using Spectre.Console;

namespace FreeFlow.Bench;

/// <summary>Where tables go: the terminal with its width and colours, or a file without colours and wide enough.</summary>
internal static class Terminal
{
    /// <summary>Width in columns when there is no terminal to ask.</summary>
    private const int FileWidth = 190;

    /// <summary>A console that suits where standard output goes.</summary>
    internal static IAnsiConsole Create()
    {
        bool file = Console.IsOutputRedirected;
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = file ? AnsiSupport.No : AnsiSupport.Detect, Interactive = InteractionSupport.No });
        if (file) console.Profile.Width = FileWidth;
        return console;
    }
}
