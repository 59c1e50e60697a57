using System;
using System.Collections.Generic;
using System.IO;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace FreeFlow.Hunter.Kubernetes;

/// <summary>A node of a YAML document, built from the parser's events: the serialiser above them needs reflection.</summary>
internal sealed class YamlNode
{
    private const int Deepest = 50;
    private readonly Dictionary<string, YamlNode> _fields = [];
    private readonly List<YamlNode> _items = [];

    /// <summary>Null if this is a list or a map.</summary>
    public string? Text { get; private init; }

    /// <summary>The elements of a list.</summary>
    public IReadOnlyList<YamlNode> Items => _items;

    /// <summary>A field of a map; null if there is none, or it is null.</summary>
    public YamlNode? this[string name] => _fields.GetValueOrDefault(name) is { } node && !(node.Text is "" or "null" or "~") ? node : null;

    /// <summary>Reads the first document.</summary>
    public static YamlNode Parse(string text)
    {
        Parser parser = new(new StringReader(text));
        parser.Consume<StreamStart>();
        if (!parser.TryConsume<DocumentStart>(out DocumentStart? _)) throw new FormatException("it is empty");
        return Read(parser, 0);
    }

    private static YamlNode Read(Parser parser, int depth)
    {
        if (depth > Deepest) throw new FormatException("it is nested too deeply");
        if (parser.TryConsume<Scalar>(out Scalar? scalar)) return new() { Text = scalar.Value };
        if (parser.TryConsume<AnchorAlias>(out AnchorAlias? _)) throw new FormatException("aliases are not supported");
        YamlNode node = new();
        if (parser.TryConsume<SequenceStart>(out SequenceStart? _))
        {
            while (!parser.TryConsume<SequenceEnd>(out SequenceEnd? _)) node._items.Add(Read(parser, depth + 1));
            return node;
        }
        parser.Consume<MappingStart>();
        while (!parser.TryConsume<MappingEnd>(out MappingEnd? _))
        {
            YamlNode key = Read(parser, depth + 1);
            node._fields[key.Text ?? throw new FormatException("a key is no text")] = Read(parser, depth + 1);
        }
        return node;
    }
}
