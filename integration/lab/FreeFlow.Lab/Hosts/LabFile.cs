using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;
using FreeFlow.Yaml;
using YamlDotNet.Core;

namespace FreeFlow.Lab.Hosts;

/// <summary>Reads a laboratory's YAML file; docs/lab.md lists what may stand there. What it does not know is an error, with its line.</summary>
public static class LabFile
{
    private static readonly string[] Daemons = ["router", "hunter"];

    /// <summary>Throws <see cref="LabException"/> with the one thing that is wrong.</summary>
    public static LabDescription Read(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or YamlException or FormatException or LabException)
        {
            throw new LabException($"{path}: {exception.Message}");
        }
    }

    /// <summary>The same from text.</summary>
    public static LabDescription Parse(string text)
    {
        YamlNode root = YamlNode.Parse(text);
        Known(root, "the laboratory", "underlay", "overlay", "etcd", "certificates", "router", "hunter", "hosts");
        LabDescription lab = new();
        if (root["underlay"] is { } underlay)
        {
            Known(underlay, "underlay", "network", "mtu");
            lab = lab with { Underlay = Network(underlay["network"], 24) ?? lab.Underlay, Mtu = Number(underlay["mtu"], 1280, 65535) ?? lab.Mtu };
        }
        if (root["overlay"] is { } overlay)
        {
            Known(overlay, "overlay", "network", "id");
            lab = lab with { Overlay = Network(overlay["network"], 16) ?? lab.Overlay, OverlayId = Number(overlay["id"], 1, (1 << 24) - 1) ?? lab.OverlayId };
        }
        lab = lab with { Etcd = root["etcd"]?.Text is not "false", Certificates = root["certificates"]?.Text is not "false", RouterArguments = Words(root["router"]), HunterArguments = Words(root["hunter"]) };
        YamlNode hosts = root["hosts"] is { IsMap: true, Names.Count: > 0 and <= 200 } map ? map : throw new FormatException("'hosts' must name at least one host, at most 200");
        List<HostDescription> all = [];
        foreach (string name in hosts.Names) all.Add(Host(lab, Name(name, hosts), hosts[name], all.Count + 1));
        lab = lab with { Hosts = all };
        IEnumerable<string> addresses = all.SelectMany(host => host.Containers.SelectMany(container => new[] { container.Address4, container.Address6 }).Append(host.Address).Append(host.Gateway)).Append(lab.EtcdAddress);
        if (addresses.GroupBy(address => address).FirstOrDefault(group => group.Count() > 1) is { } twice) throw new FormatException($"{twice.Key} is given twice");
        return lab;
    }

    /// <summary>The description as YAML, with everything that was left to be chosen.</summary>
    public static string Write(LabDescription lab)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"underlay: {{network: {lab.Underlay}, mtu: {lab.Mtu}}}\noverlay: {{network: {lab.Overlay}, id: {lab.OverlayId}}}\netcd: {(lab.Etcd ? "true" : "false")}\n");
        text.Append(CultureInfo.InvariantCulture, $"certificates: {(lab.Certificates ? "true" : "false")}\nrouter: {List(lab.RouterArguments)}\nhunter: {List(lab.HunterArguments)}\nhosts:\n");
        foreach (HostDescription host in lab.Hosts)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {host.Name}:\n    address: {host.Address}\n    daemons: {List(host.Daemons)}\n");
            if (!host.Link.IsPlain) text.Append(CultureInfo.InvariantCulture, $"    link: {{rate: {host.Link.Rate ?? "null"}, delay: {host.Link.Delay ?? "null"}}}\n");
            text.Append("    containers:\n");
            foreach (ContainerDescription container in host.Containers) text.Append(CultureInfo.InvariantCulture, $"      {container.Name}: {{address: {container.Address4}, address6: \"{container.Address6}\"}}\n");
        }
        return text.ToString();
    }

    private static string List(IReadOnlyList<string> words) => $"[{string.Join(", ", words.Select(word => $"\"{word.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\""))}]";

    private static HostDescription Host(LabDescription lab, string name, YamlNode? node, int number)
    {
        if (node is not null) Known(node, $"host {name}", "address", "daemons", "link", "containers");
        List<ContainerDescription> containers = [];
        if (node?["containers"] is { } list)
        {
            foreach (string container in list.IsMap ? list.Names : Words(list))
            {
                YamlNode? own = list.IsMap ? list[container] : null;
                if (own is not null) Known(own, $"container {name}/{container}", "address", "address6");
                int index = containers.Count + 1;
                containers.Add(new(Name(container, list), Address(own?["address"], AddressFamily.InterNetwork, lab.Overlay) ?? lab.ContainerAddress(number, index),
                    Address(own?["address6"], AddressFamily.InterNetworkV6, "fd77::/64") ?? LabDescription.ContainerAddress6(number, index)));
            }
        }
        string[] daemons = node?["daemons"] is { } chosen ? Words(chosen) : lab.Etcd ? Daemons : ["router"];
        if (daemons.FirstOrDefault(daemon => !Daemons.Contains(daemon)) is { } unknown) throw new FormatException($"host {name}: there is no daemon '{unknown}', only router and hunter");
        if (daemons.Contains("hunter") && !lab.Etcd) throw new FormatException($"host {name}: a hunter needs etcd");
        LinkDescription link = new();
        if (node?["link"] is { } cable)
        {
            Known(cable, $"host {name}'s link", "rate", "delay");
            link = new(cable["rate"]?.Text is { } rate ? LinkDescription.Rated(rate) : null, cable["delay"]?.Text is { } delay ? LinkDescription.Delayed(delay) : null);
        }
        return new(name, Address(node?["address"], AddressFamily.InterNetwork, lab.Underlay) ?? lab.HostAddress(number), lab.GatewayAddress(number), containers, daemons, link);
    }

    private static void Known(YamlNode node, string what, params string[] names)
    {
        if (!node.IsMap) throw new FormatException($"line {node.Line}: {what} must have fields: {string.Join(", ", names)}");
        if (node.Names.FirstOrDefault(name => !names.Contains(name)) is { } unknown) throw new FormatException($"line {node.Line}: {what} has no field '{unknown}', only {string.Join(", ", names)}");
    }

    // It becomes a folder, a host's name and a word of a command line.
    private static string Name(string text, YamlNode node) =>
        text.Length is > 0 and <= 32 && char.IsAsciiLetterLower(text[0]) && text.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '-') && text != "etcd"
            ? text
            : throw new FormatException($"line {node.Line}: '{text}' is no name: give lower-case letters, digits and dashes, and not 'etcd'");

    private static string[] Words(YamlNode? node) =>
        node is null ? [] : node.IsMap ? throw new FormatException($"line {node.Line}: a list of words is expected")
        : node.Text is { } text ? text.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        : [.. node.Items.Select(item => item.Text ?? throw new FormatException($"line {item.Line}: a word is expected"))];

    private static string? Network(YamlNode? node, int prefix) =>
        node is null ? null
        : IPNetwork.TryParse(node.Text, out IPNetwork network) && network.BaseAddress.AddressFamily == AddressFamily.InterNetwork && network.PrefixLength == prefix ? network.ToString()
        : throw new FormatException($"line {node.Line}: '{node.Text}' is no IPv4 network with /{prefix}");

    private static string? Address(YamlNode? node, AddressFamily family, string network) =>
        node is null ? null
        : IPAddress.TryParse(node.Text, out IPAddress? address) && address.AddressFamily == family && IPNetwork.Parse(network).Contains(address) ? address.ToString()
        : throw new FormatException($"line {node.Line}: '{node.Text}' is no address in {network}");

    private static int? Number(YamlNode? node, int least, int most) =>
        node is null ? null
        : int.TryParse(node.Text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most ? number
        : throw new FormatException($"line {node.Line}: '{node.Text}' is no number from {least} to {most}");
}
