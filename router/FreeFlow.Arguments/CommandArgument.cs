using System.CommandLine;

namespace FreeFlow.Arguments;

/// <summary>A command to start, with its own arguments: from its first word on, nothing is an option of ours.</summary>
public sealed class CommandArgument : Argument<string[]>
{
    /// <summary>At least one word, to be called COMMAND in <c>--help</c>.</summary>
    public CommandArgument() : base("COMMAND") => (Description, Arity) = ("what to start, and its own arguments", ArgumentArity.OneOrMore);
}
