using System;
using System.CommandLine;
using System.CommandLine.Parsing;

namespace FreeFlow.Arguments;

/// <summary>
/// An option with a value. Given several times, the last one counts: a command line stands behind the file with options that it names.
/// </summary>
public sealed class ValueOption<T> : Option<T>
{
    private readonly Func<string, T> _read;

    /// <param name="name">With its dashes.</param>
    /// <param name="value">What stands for the value in <c>--help</c>.</param>
    /// <param name="description">For <c>--help</c>.</param>
    /// <param name="read">
    /// Makes sense of the value; throws <see cref="FormatException"/> with what to give instead, which is told behind option and value.
    /// </param>
    public ValueOption(string name, string value, string description, Func<string, T> read) : base(name)
    {
        _read = read;
        (HelpName, Description, Arity, CustomParser) = (value, description, ArgumentArity.OneOrMore, Read);
    }

    /// <summary>True: the option may stand alone; its value is then the default of its type.</summary>
    public bool IsValueOptional
    {
        init => Arity = value ? ArgumentArity.ZeroOrMore : ArgumentArity.OneOrMore;
    }

    private T? Read(ArgumentResult result)
    {
        if (result.Tokens is not [.., { Value: var value }]) return default;
        try
        {
            return _read(value);
        }
        catch (FormatException exception)
        {
            result.AddError($"{Name} {value}: {exception.Message}");
            return default;
        }
    }
}
