using System;
using System.Buffers;
using System.Collections.Generic;
using System.Text.Json;

namespace FreeFlow.Locations.Identities;

/// <summary>The value of <c>FreeFlow/v1/identities/&lt;virtualIP&gt;</c>: {"host":…,"namespace":…,"name":…,"labels":{…}}, without what is not known.</summary>
public static class IdentityText
{
    /// <summary>A longer value is nobody's labels.</summary>
    private const int LongestValue = 65536;

    /// <summary>What to publish. The host is the one that the address lives on: who reads both must know that they speak of the same.</summary>
    public static byte[] Write(Identity identity, Address host)
    {
        ArrayBufferWriter<byte> buffer = new(256);
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            json.WriteString("host", host.ToString());
            if (identity.Namespace is not null) json.WriteString("namespace", identity.Namespace);
            if (identity.Name is not null) json.WriteString("name", identity.Name);
            if (identity.HasLabels)
            {
                json.WriteStartObject("labels");
                foreach (KeyValuePair<string, string> label in identity.Labels) json.WriteString(label.Key, label.Value);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Null if it cannot be read: whoever may write to etcd may have written anything. Fields that are not known here are skipped.</summary>
    public static Identity? TryParse(ReadOnlySpan<byte> text, out Address host)
    {
        host = default;
        if (text.Length > LongestValue) return null;
        try
        {
            Utf8JsonReader json = new(text);
            string? space = null, name = null;
            List<KeyValuePair<string, string>>? labels = null;
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject) return null;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                bool isHost = json.ValueTextEquals("host"u8), isNamespace = json.ValueTextEquals("namespace"u8), isName = json.ValueTextEquals("name"u8), isLabels = json.ValueTextEquals("labels"u8);
                json.Read();
                if (isLabels) { if (labels is not null || (labels = ReadLabels(ref json)) is null) return null; }
                else if (isHost) { if (json.TokenType != JsonTokenType.String || !Address.TryParse(json.GetString(), out host)) return null; }
                else if (isNamespace || isName)
                {
                    if (json.TokenType != JsonTokenType.String) return null;
                    if (isNamespace) space = json.GetString(); else name = json.GetString();
                }
                else json.Skip();
            }
            // What is behind the object is an error to Read.
            return json.Read() || host == default || host.IsOfNoPlace ? null : new(space, name, labels);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static List<KeyValuePair<string, string>>? ReadLabels(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.StartObject) return null;
        List<KeyValuePair<string, string>> labels = [];
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string key = json.GetString()!;
            if (!json.Read() || json.TokenType != JsonTokenType.String || labels.Exists(label => label.Key == key)) return null;
            labels.Add(new(key, json.GetString()!));
        }
        return labels;
    }
}
