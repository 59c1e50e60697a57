using System;
using System.Collections.Generic;
using FreeFlow.Lab;

namespace FreeFlow.Differential.Running;

/// <summary>How the bytes of a program travel.</summary>
/// <param name="Name">For messages and the command line.</param>
/// <param name="PreloadA">The library preloaded into process A; empty: none.</param>
/// <param name="PreloadB">The same for B.</param>
/// <param name="Environment">Of both.</param>
public sealed record Road(string Name, string PreloadA, string PreloadB, IReadOnlyDictionary<string, string> Environment)
{
    /// <summary>Kernel TCP.</summary>
    public static Road Plain { get; } = new("plain", "", "", new Dictionary<string, string>());

    /// <summary>Where A and B live; null: both on this machine, and their connections on its loopback.</summary>
    public TwoHosts? Hosts { get; init; }

    /// <summary>What the road is compared with: the kernel, between the same two places.</summary>
    public Road Kernel => Plain with { Hosts = Hosts };

    /// <summary>Whether the programs lose the way between the hosts in their midst (<see cref="Losses"/>).</summary>
    public bool Loses => Name == "two-hosts-lost";

    /// <summary>Whether connections move to their rings at any time.</summary>
    public bool HandsOver => Name is "soon" or "default" or "come-and-go" or "two-hosts-soon" or "two-hosts-lost";

    /// <summary>The ring from the first byte on.</summary>
    public static Road Ring(string socket) => Preloaded("ring", socket, new() { ["FREEFLOW_OFFER_AFTER"] = "0", ["FREEFLOW_JOIN"] = "wait", ["FREEFLOW_JOIN_TIMEOUT_MS"] = "8" });

    /// <summary>The ring as soon as it comes: the hand-over is somewhere in the midst.</summary>
    public static Road Soon(string socket) => Preloaded("soon", socket, new() { ["FREEFLOW_OFFER_AFTER"] = "2" });

    /// <summary>The same, while the router is killed and started anew all the time (<see cref="Router.ComeAndGo"/>).</summary>
    public static Road ComeAndGo(string socket) => Soon(socket) with { Name = "come-and-go" };

    /// <summary>The settings of somebody who sets nothing.</summary>
    public static Road Default(string socket) => Preloaded("default", socket, []);

    /// <summary>One end has no shim.</summary>
    public static Road OneEnd(string socket) => Preloaded("one-end", socket, new() { ["FREEFLOW_OFFER_AFTER"] = "0" }) with { PreloadB = "" };

    /// <summary>Between two hosts: mirrored rings from the first byte on; <c>two-hosts-soon</c>: the hand-over in the midst; <c>two-hosts-lost</c>: and the way lost and found again.</summary>
    public static Road Between(string name, TwoHosts hosts) => Preloaded(name, "", name == "two-hosts"
        ? new() { ["FREEFLOW_OFFER_AFTER"] = "0", ["FREEFLOW_JOIN"] = "wait", ["FREEFLOW_JOIN_TIMEOUT_MS"] = "50" } : new() { ["FREEFLOW_OFFER_AFTER"] = "2" }) with
    { Hosts = hosts };

    /// <summary>By the name that the command line gives it.</summary>
    public static Road Named(string name, string socket) => name switch
    {
        "ring" => Ring(socket),
        "soon" => Soon(socket),
        "come-and-go" => ComeAndGo(socket),
        "default" => Default(socket),
        "one-end" => OneEnd(socket),
        "plain" => Plain,
        _ => throw new ArgumentException($"no road has the name '{name}'"),
    };

    private static Road Preloaded(string name, string socket, Dictionary<string, string> environment) =>
        new(name, Artifacts.PreloadLibrary, Artifacts.PreloadLibrary, new Dictionary<string, string>(environment) { ["FREEFLOW_SOCKET"] = socket });
}
