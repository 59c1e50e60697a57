using System;
using System.CommandLine;
using System.Linq;
using FreeFlow.Arguments;
using FreeFlow.Lab.Hosts;

namespace FreeFlow.Cli.Lab;

/// <summary>How <c>freeflow lab</c> is written: a command for each action.</summary>
internal sealed class LabSyntax : Command
{
    private readonly ValueOption<string> _folder = new(
        "--lab", "FOLDER", $"the laboratory's state and logs; default $FREEFLOW_LAB or {Laboratory.DefaultFolder}",
        folder => folder.Length > 0 ? folder : throw new FormatException("give a folder."))
    {
        Recursive = true,
    };

    private readonly FlagOption _plain = new("--plain", "exec: without FreeFlow; commands on a host are always plain") { Recursive = true };

    public LabSyntax() : base(
        "lab", "several hosts with containers on this machine, in network namespaces; PLACE is HOST, HOST/CONTAINER or etcd, DAEMON router " +
        "or hunter")
    {
        Options.Add(_folder);
        Options.Add(_plain);
        Add("up", "build the hosts that FILE describes", One("FILE"));
        Add("down", "remove them; may be repeated");
        Add("status", "list places, addresses, links and daemons");
        Add("exec", "run a command in a place", One("PLACE"), new CommandArgument());
        Add("cut", "drop everything from and to the host", One("HOST"));
        Add("mend", "take that, and slow, back", One("HOST"));
        Add("slow", "slow the host's link: rate=RATE,delay=DELAY", One("HOST"), One("LINK"));
        Add("kill", "end a daemon, or the host with everything on it, or etcd", One("HOST"), Perhaps("DAEMON"));
        Add("start", "start it again", One("HOST"), Perhaps("DAEMON"));
    }

    private static Argument<string> One(string name) => new(name);

    private static Argument<string?> Perhaps(string name) => new(name) { Arity = ArgumentArity.ZeroOrOne };

    private void Add(string name, string description, params Argument[] arguments)
    {
        Command action = new(name, description);
        foreach (Argument argument in arguments) action.Arguments.Add(argument);
        action.SetAction(read => LabCommand.Execute(Read(read)));
        Subcommands.Add(action);
    }

    /// <summary>The action and its words, in their order.</summary>
    public LabOptions Read(ParseResult read)
    {
        string action = read.CommandResult.Command.Name;
        bool plain = read.GetValue(_plain);
        if (plain && action != "exec") throw new UsageException("lab: --plain is for exec.");
        string folder = read.GetValue(_folder)
            ?? (Environment.GetEnvironmentVariable("FREEFLOW_LAB") is { Length: > 0 } given ? given : Laboratory.DefaultFolder);
        var words = read.CommandResult.Command.Arguments.SelectMany(argument => read.GetResult(argument)?.Tokens ?? []);
        return new LabOptions(action, folder, plain, [.. words.Select(word => word.Value)]);
    }
}
