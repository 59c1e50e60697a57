using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using FreeFlow.Locations;
using FreeFlow.Locations.Identities;

namespace FreeFlow.Router.Policy;

/// <summary>
/// Reads a side of a rule: "any", a network, an address, or Kubernetes' selectors with "namespace" for the namespace, several with commas:
/// <c>namespace=web,app=front</c>, <c>app!=x</c>, <c>app in (a,b)</c>, <c>app notin (a,b)</c>, <c>app</c>, <c>!app</c>.
/// </summary>
internal static class SelectorText
{
    /// <summary>Null, and one line about what is wrong.</summary>
    public static Selector? TryParse(string text, out string problem)
    {
        problem = "";
        Cidr network = default;
        bool hasNetwork = false;
        List<Requirement> requirements = [];
        foreach (string term in Terms(text))
        {
            if (term == "any") continue;
            if (LooksLikeNetwork(term))
            {
                if (hasNetwork) problem = $"{term} is the second network; give one";
                else if (!Cidr.TryParse(term, out network)) problem = $"{term} is no network; write 10.0.0.0/8, an address, or any";
                hasNetwork = true;
            }
            else if (Read(term, out problem) is { } requirement) requirements.Add(requirement);
            if (problem.Length > 0) return null;
        }
        return new Selector(network, [.. requirements]);
    }

    /// <summary>Between commas, but for those in parentheses.</summary>
    private static IEnumerable<string> Terms(string text)
    {
        int depth = 0, start = 0;
        for (int i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && text[i] != ',') depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
            else if (i == text.Length || depth == 0)
            {
                yield return text[start..i].Trim();
                start = i + 1;
            }
        }
    }

    private static Requirement? Read(string term, out string problem)
    {
        string[] words = term.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (words.Length == 3 && words[1] is "in" or "notin" && words[2].StartsWith('(') && words[2].EndsWith(')'))
        {
            return Make(words[0], [.. words[2][1..^1].Split(',', StringSplitOptions.TrimEntries)], words[1] == "notin", term, out problem);
        }
        int equals = term.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0) return term.StartsWith('!') ? Make(term[1..].Trim(), null, true, term, out problem) : Make(term, null, false, term, out problem);
        bool excludes = equals > 0 && term[equals - 1] == '!';
        string value = term[(equals + 1)..];
        // Kubernetes takes "==" for "=".
        if (!excludes && value.StartsWith('=')) value = value[1..];
        return Make(term[..(excludes ? equals - 1 : equals)].Trim(), [value.Trim()], excludes, term, out problem);
    }

    private static Requirement? Make(string key, string[]? values, bool excludes, string term, out string problem)
    {
        problem = LabelSyntax.IsKey(key) && (values is null || values.All(LabelSyntax.IsValue)) ? ""
            : string.Create(CultureInfo.InvariantCulture, $"'{term}' is no selector; write any, a network, namespace=NAME, KEY=VALUE, KEY!=VALUE, KEY in (A,B), KEY notin (A,B), KEY or !KEY, with commas");
        return problem.Length == 0 ? new Requirement(key, values, excludes) : null;
    }

    // A network with a mistake in it must not become a label's name.
    private static bool LooksLikeNetwork(string term) =>
        term.Contains(':') || (term.Length > 0 && char.IsAsciiDigit(term[0]) && term.All(letter => char.IsAsciiDigit(letter) || letter is '.' or '/'));
}
