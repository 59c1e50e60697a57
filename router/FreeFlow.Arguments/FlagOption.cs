using System.CommandLine;

namespace FreeFlow.Arguments;

/// <summary>An option that takes no value.</summary>
public sealed class FlagOption : Option<bool>
{
    /// <param name="name">With its dashes.</param>
    /// <param name="description">For <c>--help</c>.</param>
    public FlagOption(string name, string description) : base(name) => (Description, Arity) = (description, ArgumentArity.Zero);
}
