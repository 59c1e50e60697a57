using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using FreeFlow.Locations.Identities;

namespace FreeFlow.Locations.Files;

/// <summary>The text of a file of locations:
/// <code>
/// # virtual IP   host
/// 10.0.0.1       192.168.0.1
/// 10.0.0.2       192.168.0.1  namespace=web name=front-1 labels=app=front,tier=web
/// router 192.168.0.1 port=7471 capabilities=rdma,tcp name=node-1
/// </code></summary>
public sealed class LocationFile
{
    /// <summary>Virtual IP → host; <see cref="Address"/> zero stands for "this host" where a line names none (the hunter's files may).</summary>
    public Dictionary<Address, Address> Addresses { get; } = [];

    /// <summary>Who has a virtual IP, where a line says it.</summary>
    public Dictionary<Address, Identity> Identities { get; } = [];

    public Dictionary<Address, RouterDescription> Routers { get; } = [];

    public Dictionary<Address, string> Names { get; } = [];

    /// <summary>Throws <see cref="FormatException"/> naming the first line that is wrong: half a file is worse than the last one.</summary>
    /// <param name="text">The file.</param>
    /// <param name="hostRequired">False: a line may hold an address alone.</param>
    public static LocationFile Parse(string text, bool hostRequired)
    {
        LocationFile file = new();
        int number = 0;
        foreach (ReadOnlySpan<char> whole in text.AsSpan().EnumerateLines())
        {
            number++;
            int comment = whole.IndexOf('#');
            string line = new((comment < 0 ? whole : whole[..comment]).Trim());
            if (line.Length == 0) continue;
            string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words[0] == "router") file.AddRouter(words, number);
            else file.AddAddress(words, number, hostRequired);
        }
        return file;
    }

    private void AddAddress(string[] words, int number, bool hostRequired)
    {
        string[] plain = [.. words.TakeWhile(word => !word.Contains('='))];
        if (plain.Length > 2 || plain.Length < (hostRequired ? 2 : 1)) throw Wrong(number, hostRequired ? "give a virtual IP and its host" : "give a virtual IP, and its host if that is another");
        Address address = Read(plain[0], number);
        Address host = plain.Length == 2 ? Read(plain[1], number) : default;
        if (!Addresses.TryAdd(address, host) && Addresses[address] != host) throw Wrong(number, $"{address} stands twice, with different hosts");
        if (words.Length == plain.Length) return;
        Identity identity = ReadIdentity(words.AsSpan(plain.Length), number);
        if (!Identities.TryAdd(address, identity) && !Identities[address].Equals(identity)) throw Wrong(number, $"{address} stands twice, with different labels");
    }

    private static Identity ReadIdentity(ReadOnlySpan<string> words, int number)
    {
        string? space = null, name = null;
        Dictionary<string, string>? labels = null;
        foreach (string word in words)
        {
            int equals = word.IndexOf('=', StringComparison.Ordinal);
            string value = word[(equals + 1)..];
            switch (equals < 0 ? "" : word[..equals])
            {
                case "namespace" when LabelSyntax.IsValue(value) && value.Length > 0: space = value; break;
                case "name" when value.Length > 0: name = value; break;
                case "labels": ReadLabels(value, labels ??= [], number); break;
                default: throw Wrong(number, $"'{word}' is not namespace=NAME, name=NAME or labels=KEY=VALUE,...");
            }
        }
        return new(space, name, labels);
    }

    // "labels=" alone says that there are none.
    private static void ReadLabels(string text, Dictionary<string, string> labels, int number)
    {
        foreach (string label in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = label.IndexOf('=', StringComparison.Ordinal);
            string key = equals < 0 ? label : label[..equals], value = equals < 0 ? "" : label[(equals + 1)..];
            if (equals < 0 || !LabelSyntax.IsKey(key) || !LabelSyntax.IsValue(value)) throw Wrong(number, $"'{label}' is no label; write KEY=VALUE");
            if (!labels.TryAdd(key, value)) throw Wrong(number, $"the label {key} stands twice");
        }
    }

    private void AddRouter(string[] words, int number)
    {
        if (words.Length < 2) throw Wrong(number, "give the host's address after 'router'");
        Address host = Read(words[1], number);
        RouterDescription router = new();
        foreach (string word in words.AsSpan(2))
        {
            int equals = word.IndexOf('=', StringComparison.Ordinal);
            string value = word[(equals + 1)..];
            switch (equals < 0 ? "" : word[..equals])
            {
                case "port" when ushort.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port):
                    router = router with { Port = port };
                    break;
                case "capabilities":
                    router = router with { Capabilities = value.Split(',', StringSplitOptions.RemoveEmptyEntries) };
                    break;
                case "name" when value.Length > 0:
                    Names[host] = value;
                    break;
                default:
                    throw Wrong(number, $"'{word}' is not port=NUMBER, capabilities=LIST or name=NAME");
            }
        }
        Routers[host] = router;
    }

    private static Address Read(string word, int number) =>
        Address.TryParse(word, out Address address) && !address.IsOfNoPlace ? address : throw Wrong(number, $"'{word}' is not an address that can be reached");

    private static FormatException Wrong(int number, string what) => new(string.Create(CultureInfo.InvariantCulture, $"line {number}: {what}"));
}
