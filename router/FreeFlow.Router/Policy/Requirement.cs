using System;
using FreeFlow.Locations.Identities;

namespace FreeFlow.Router.Policy;

/// <summary>One condition of a selector, as Kubernetes has them: what the label may be, or, with <paramref name="excludes"/>, may not.</summary>
/// <param name="key">The label; <see cref="Namespace"/> is the namespace.</param>
/// <param name="values">One of these; null: any, if there is such a label at all.</param>
/// <param name="excludes">The opposite: a label that is missing will do, too.</param>
internal sealed class Requirement(string key, string[]? values, bool excludes)
{
    public const string Namespace = "namespace";

    public Match Of(Identity? identity)
    {
        bool known = key == Namespace ? identity?.Namespace is not null : identity?.HasLabels == true;
        if (!known) return Match.Maybe;
        string? value = key == Namespace ? identity!.Namespace : identity![key];
        bool holds = value is not null && (values is null || Array.IndexOf(values, value) >= 0);
        return holds != excludes ? Match.Yes : Match.No;
    }
}
