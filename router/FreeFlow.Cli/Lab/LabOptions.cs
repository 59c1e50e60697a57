using System;
using System.Linq;
using FreeFlow.Lab.Hosts;

namespace FreeFlow.Cli.Lab;

/// <summary>What stands after <c>freeflow lab</c>.</summary>
/// <param name="Action">up, down, status, exec, cut, mend, slow, kill or start.</param>
/// <param name="Folder">Where the laboratory keeps its state.</param>
/// <param name="Plain">exec: without FreeFlow.</param>
/// <param name="Words">What the action works on.</param>
internal sealed record LabOptions(string Action, string Folder, bool Plain, string[] Words)
{
    /// <summary>Options stand before the first other word: what follows that may be a command with options of its own.</summary>
    public static LabOptions Parse(ReadOnlySpan<string> arguments)
    {
        string folder = Environment.GetEnvironmentVariable("FREEFLOW_LAB") is { Length: > 0 } given ? given : Laboratory.DefaultFolder;
        string action = "";
        bool plain = false;
        int i = 0;
        for (; i < arguments.Length; i++)
        {
            string word = arguments[i];
            if (word == "--plain") plain = true;
            else if (word.StartsWith("--lab=", StringComparison.Ordinal)) folder = word["--lab=".Length..];
            else if (word == "--lab") folder = ++i < arguments.Length ? arguments[i] : "";
            else if (word.StartsWith('-')) throw new CommandException($"lab: unknown option '{word}'; freeflow --help lists them.", 2);
            else if (action.Length == 0) action = word;
            else break;
        }
        if (folder.Length == 0) throw new CommandException("lab: --lab needs a folder after it.", 2);
        LabOptions options = new(action, folder, plain, arguments[i..].ToArray());
        if (plain && action != "exec") throw new CommandException("lab: --plain is for exec.", 2);
        return options.Action switch
        {
            "up" => options.With(1, 1, "FILE"),
            "down" or "status" => options.With(0, 0, ""),
            "exec" => options.With(2, int.MaxValue, "HOST or HOST/CONTAINER and a COMMAND"),
            "cut" or "mend" => options.With(1, 1, "HOST"),
            "slow" => options.With(2, 2, "HOST rate=RATE,delay=DELAY"),
            "kill" or "start" => options.With(1, 2, "HOST [router|hunter], or etcd"),
            "" => throw new CommandException("lab: say what: up, down, status, exec, cut, mend, slow, kill or start.", 2),
            _ => throw new CommandException($"lab: there is no '{action}'; freeflow --help lists what there is.", 2),
        };
    }

    private LabOptions With(int least, int most, string usage)
    {
        if (Words.Length >= least && Words.Length <= most) return this;
        string given = string.Join(' ', Words.Prepend(Action));
        throw new CommandException($"lab {given}: give {(usage.Length > 0 ? usage : "nothing more")} after {Action}.", 2);
    }
}
