using System;
using System.Collections.Generic;
using System.Linq;

namespace FreeFlow.Locations.Identities;

/// <summary>Who has a virtual IP: what a rule may ask for. Immutable; equal if it says the same.</summary>
public sealed class Identity : IEquatable<Identity>
{
    private readonly KeyValuePair<string, string>[]? _labels;
    private readonly int _hash;

    /// <param name="space">The namespace; null: not known.</param>
    /// <param name="name">Of the pod or container, for people; null: not known.</param>
    /// <param name="labels">Each key once; null: not known, which is not the same as none.</param>
    public Identity(string? space, string? name, IEnumerable<KeyValuePair<string, string>>? labels)
    {
        Namespace = space;
        Name = name;
        _labels = labels?.OrderBy(label => label.Key, StringComparer.Ordinal).ToArray();
        HashCode hash = default;
        hash.Add(space);
        hash.Add(name);
        foreach (KeyValuePair<string, string> label in _labels ?? []) { hash.Add(label.Key); hash.Add(label.Value); }
        _hash = hash.ToHashCode();
    }

    /// <summary>Null: not known.</summary>
    public string? Namespace { get; }

    /// <summary>Null: not known.</summary>
    public string? Name { get; }

    /// <summary>False: nobody has said what labels it has.</summary>
    public bool HasLabels => _labels is not null;

    /// <summary>In the order of their keys.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Labels => _labels ?? [];

    /// <summary>How many entries of an <see cref="IdentityPool"/> share this object.</summary>
    internal int Uses { get; set; }

    /// <summary>The label's value; null if there is no such label, or labels are not known.</summary>
    public string? this[string key]
    {
        get
        {
            foreach (KeyValuePair<string, string> label in _labels ?? []) if (label.Key == key) return label.Value;
            return null;
        }
    }

    /// <summary>What the one knows, and what the other knows besides.</summary>
    public static Identity? Merge(Identity? first, Identity? second) =>
        first is null ? second : second is null ? first
        : new(first.Namespace ?? second.Namespace, first.Name ?? second.Name, first._labels ?? second._labels);

    public bool Equals(Identity? other) =>
        other is not null && _hash == other._hash && Namespace == other.Namespace && Name == other.Name && HasLabels == other.HasLabels && Labels.SequenceEqual(other.Labels);

    public override bool Equals(object? obj) => Equals(obj as Identity);

    public override int GetHashCode() => _hash;
}
