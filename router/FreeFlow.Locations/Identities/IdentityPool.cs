using System.Collections.Generic;

namespace FreeFlow.Locations.Identities;

/// <summary>Keeps each identity once, however many addresses have it: the pods of one deployment say the same. Not thread-safe.</summary>
internal sealed class IdentityPool
{
    // Values that are each pod's own come and go without end.
    private const int MostTexts = 65536;

    private readonly HashSet<Identity> _identities = [];
    private readonly Dictionary<string, string> _texts = [];

    /// <summary>Different identities that are in use.</summary>
    public int Count => _identities.Count;

    /// <summary>The one object for what this says; <see cref="Release"/> once for each call.</summary>
    public Identity Share(Identity identity)
    {
        if (!_identities.TryGetValue(identity, out Identity? shared)) _identities.Add(shared = Own(identity));
        shared.Uses++;
        return shared;
    }

    public void Release(Identity shared)
    {
        if (--shared.Uses == 0) _identities.Remove(shared);
    }

    private Identity Own(Identity identity)
    {
        List<KeyValuePair<string, string>>? labels = identity.HasLabels ? new(identity.Labels.Count) : null;
        foreach (KeyValuePair<string, string> label in identity.Labels) labels!.Add(new(Text(label.Key), Text(label.Value)));
        return new(identity.Namespace is { } space ? Text(space) : null, identity.Name, labels);
    }

    private string Text(string text)
    {
        if (_texts.TryGetValue(text, out string? known)) return known;
        if (_texts.Count >= MostTexts) _texts.Clear();
        return _texts[text] = text;
    }
}
