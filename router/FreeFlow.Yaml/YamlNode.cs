using System;
using System.Collections.Generic;
using System.IO;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace FreeFlow.Yaml;

/// <summary>A node of a YAML document, built from the parser's events: the serialiser above them needs reflection.</summary>
public sealed class YamlNode
{
    private const int Deepest = 50;
    private readonly Dictionary<string, YamlNode> _fields = [];
    private readonly List<string> _names = [];
    private readonly List<YamlNode> _items = [];

    /// <summary>Null if this is a list or a map.</summary>
    public string? Text { get; private init; }

    /// <summary>True for a map, an empty one included.</summary>
    public bool IsMap { get; private init; }

    /// <summary>Where it begins in the text, from 1.</summary>
    public long Line { get; private init; }

    /// <summary>The elements of a list.</summary>
    public IReadOnlyList<YamlNode> Items => _items;

    /// <summary>The keys of a map, in the text's order.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>A field of a map; null if there is none, or it is null.</summary>
    public YamlNode? this[string name] => _fields.GetValueOrDefault(name) is { } node && !(node.Text is "" or "null" or "~") ? node : null;

    /// <summary>Reads the first document; throws <see cref="FormatException"/> or <see cref="YamlException"/>.</summary>
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
        if (parser.TryConsume<Scalar>(out Scalar? scalar)) return new() { Text = scalar.Value, Line = scalar.Start.Line };
        if (parser.TryConsume<AnchorAlias>(out AnchorAlias? _)) throw new FormatException("aliases are not supported");
        if (parser.TryConsume<SequenceStart>(out SequenceStart? sequence))
        {
            YamlNode list = new() { Line = sequence.Start.Line };
            while (!parser.TryConsume<SequenceEnd>(out SequenceEnd? _)) list._items.Add(Read(parser, depth + 1));
            return list;
        }
        YamlNode map = new() { IsMap = true, Line = parser.Consume<MappingStart>().Start.Line };
        while (!parser.TryConsume<MappingEnd>(out MappingEnd? _))
        {
            string key = Read(parser, depth + 1).Text ?? throw new FormatException("a key is no text");
            if (!map._fields.ContainsKey(key)) map._names.Add(key);
            map._fields[key] = Read(parser, depth + 1);
        }
        return map;
    }
}
