using System.Collections.Generic;
using System.Linq;
using System.Text.RegularExpressions;

namespace FreeFlow.ExportGenerator;

/// <summary>One method marked with <c>[Interpose]</c>: the libc call it stands in for and the C# method behind it.</summary>
internal sealed record InterposedCall(
    string Symbol, string ReturnType, IReadOnlyList<CParameter> Parameters, bool IsVariadic,
    string Guard, IReadOnlyList<string> Aliases, string Checked, string Number,
    string Method, string DelegateType)
{
    private static readonly Regex Attribute = new(
        """\[(?<mark>Interpose|Verbs)\("(?<declaration>[^"]+)"(?<named>[^\]]*(?:\[[^\]]*\][^\]]*)*)\)\]\s*\n\s*(?:public|internal) static (?<return>[\w*]+) (?<name>\w+)\((?<parameters>[^)]*)\)""",
        RegexOptions.CultureInvariant);
    private static readonly Regex Class = new(@"static (?:unsafe )?class (\w+)", RegexOptions.CultureInvariant);

    /// <summary>All marked methods of one source file. A line that looks like a mark but cannot be read is an error, not an omission.</summary>
    public static IEnumerable<InterposedCall> Parse(string file, string source)
    {
        MatchCollection matches = Attribute.Matches(source);
        int marks = Regex.Matches(source, @"^\s*\[(?:Interpose|Verbs)\(", RegexOptions.Multiline).Count;
        if (marks != matches.Count) throw new GeneratorException($"{file}: {marks} marks but {matches.Count} readable ones; write the attribute on one line and the method's parameters on the next");
        foreach (Match match in matches) yield return FromMatch(file, Class.Match(source).Groups[1].Value, match);
    }

    private static InterposedCall FromMatch(string file, string type, Match match)
    {
        string declaration = match.Groups["declaration"].Value;
        Match parts = Regex.Match(declaration, @"^(?<return>[\w ]+\*?) (?<symbol>\w+)\((?<parameters>.*)\)$");
        if (!parts.Success) throw new GeneratorException($"{file}: '{declaration}' is not a C declaration such as \"int close(int fd)\"");
        string[] written = parts.Groups["parameters"].Value is "void" or "" ? [] : parts.Groups["parameters"].Value.Split(", ");
        bool variadic = written.Contains("...");
        List<CParameter> parameters = written.Select(text => text == "..." ? new CParameter("void*", "argument") : CParameter.Parse(file, text)).ToList();

        List<string> types = match.Groups["parameters"].Value.Length == 0 ? [] : match.Groups["parameters"].Value.Split(", ").Select(p => p[..p.LastIndexOf(' ')]).ToList();
        if (types.Count != parameters.Count) throw new GeneratorException($"{file}: {declaration} has {parameters.Count} parameters, its method {types.Count}");
        types.Add(match.Groups["return"].Value);

        string named = match.Groups["named"].Value;
        string Text(string name, string otherwise) => Regex.Match(named, name + " = \"([^\"]*)\"") is { Success: true } m ? m.Groups[1].Value : otherwise;
        return new InterposedCall(
            parts.Groups["symbol"].Value, parts.Groups["return"].Value, parameters, variadic,
            Text("Guard", "FF_FLAGS(fd) & FF_CONNECTION"),
            Text("Aliases", "").Split(' ').Where(alias => alias.Length > 0).ToList(), Text("Checked", ""), Text("Number", ""),
            $"{type}.{match.Groups["name"].Value}", $"delegate*<{string.Join(", ", types)}>");
    }
}
