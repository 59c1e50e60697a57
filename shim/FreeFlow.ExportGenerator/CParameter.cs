using System.Text.RegularExpressions;

namespace FreeFlow.ExportGenerator;

/// <summary>Type and name of one C parameter.</summary>
internal sealed record CParameter(string Type, string Name)
{
    public static CParameter Parse(string file, string text)
    {
        Match match = Regex.Match(text, @"^(?<type>.+[ *])(?<name>\w+)$");
        if (!match.Success) throw new GeneratorException($"{file}: '{text}' is not a C parameter such as \"int fd\"");
        return new CParameter(match.Groups["type"].Value.TrimEnd(), match.Groups["name"].Value);
    }
}
