using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace FreeFlow.Lab.Hosts;

/// <summary>A host: namespaces, a cable to the underlay, containers below it, a router and a hunter.</summary>
public sealed class LabHost : LabPlace
{
    private readonly Laboratory _lab;
    private readonly int _number;

    internal LabHost(Laboratory lab, HostDescription description, int number) : base(description.Name, Path.Combine(lab.Folder, description.Name))
    {
        (_lab, _number, Description, Address4) = (lab, number, description, description.Address);
        Containers = [.. description.Containers.Select(container => new LabPlace($"{Name}/{container.Name}", Path.Combine(Folder, container.Name)) { Address4 = container.Address4, Address6 = container.Address6 })];
    }

    /// <summary>As the file says.</summary>
    public HostDescription Description { get; }

    /// <summary>Its containers.</summary>
    public IReadOnlyList<LabPlace> Containers { get; }

    /// <summary>A container by its name without the host's.</summary>
    public LabPlace this[string container] => Containers.FirstOrDefault(place => place.Name == $"{Name}/{container}") ?? throw new LabException($"Host {Name} has no container '{container}'.");

    /// <summary>Its router's socket as the machine sees it; here and in its containers it is /run/freeflow/router.sock.</summary>
    public string RouterSocket => Path.Combine(RunFolder, "router.sock");

    /// <summary>What its router says, asked on the host, where root may see everything.</summary>
    public RouterStatus Status() => RouterStatus.Parse(Run(new CommandLine(Artifacts.Cli, "status", "--json"), TimeSpan.FromSeconds(10)).Succeeded($"freeflow status on {Name}").Output);

    /// <summary>Starts the host after <see cref="Kill"/>: its cable, its containers, its daemons.</summary>
    public void Start()
    {
        if (IsRunning) throw new LabException($"{Name} runs already.");
        Begin();
        foreach (string daemon in Description.Daemons) Start(daemon);
    }

    /// <summary>Starts "router" or "hunter" and waits until it serves.</summary>
    public void Start(string daemon)
    {
        if (daemon == "router") StartRouter();
        else if (daemon == "hunter") StartHunter();
        else throw Unknown(daemon);
    }

    /// <summary>Ends the host with everything on it, as a power cut does.</summary>
    public void Kill()
    {
        int pid = NamespacePid;
        LabShell.RunInNetwork(_lab.RootPid, "ip link del dev \"$1\"", $"unplugging {Name}", Port);
        _ = Native.kill(pid, Native.SIGKILL);
        if (!Waiting.Until(() => !IsRunning, TimeSpan.FromSeconds(10))) throw new LabException($"{Name} does not end.");
    }

    /// <summary>SIGKILL to "router" or "hunter".</summary>
    public void Kill(string daemon) => Signal(daemon is "router" or "hunter" ? daemon : throw Unknown(daemon), Native.SIGKILL);

    /// <summary>SIGTERM to "router" or "hunter", and waits.</summary>
    public void Stop(string daemon) => Signal(daemon, Native.SIGTERM);

    /// <summary>The switch drops everything from and to this host; its own card notices nothing.</summary>
    public void Cut() => SetPort(0);

    /// <summary>Undoes <see cref="Cut"/> and <see cref="Slow"/>: the link is again as the file describes it.</summary>
    public void Mend()
    {
        SetPort(3);
        Slow(Description.Link);
    }

    /// <summary>Slows the cable, both ways.</summary>
    public void Slow(LinkDescription link)
    {
        string what = $"slowing {Name}'s link{(link.Delay is null ? "" : " (a delay needs a kernel with sch_netem)")}";
        LabShell.RunInNetwork(NamespacePid, LabScripts.Slow, what, "eth0", link.Rate ?? "", link.Delay ?? "");
        LabShell.RunInNetwork(_lab.RootPid, LabScripts.Slow, what, Port, link.Rate ?? "", link.Delay ?? "");
    }

    /// <summary>What the kernel says about the cable: "up", "cut", with what slows it.</summary>
    public string LinkState()
    {
        string told = LabShell.RunInNetwork(_lab.RootPid, "bridge link show dev \"$1\"; tc qdisc show dev \"$1\" root", $"asking about {Name}'s link", Port);
        string[] words = told.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        string After(string word) => Array.IndexOf(words, word) is var index and >= 0 && index + 1 < words.Length ? $", {word} {words[index + 1]}" : "";
        return (told.Contains("state disabled", StringComparison.Ordinal) ? "cut" : "up") + (told.Contains("tbf", StringComparison.Ordinal) || told.Contains("netem", StringComparison.Ordinal) ? After("rate") + After("delay") : "");
    }

    internal string RunFolder => Path.Combine(Folder, "run");

    internal void Begin()
    {
        if (OperatingSystem.IsLinux()) Directory.CreateDirectory(RunFolder, (UnixFileMode)Convert.ToInt32("755", 8));
        Begin(_lab.RootPid, _lab.PlaceScript, RunFolder, hasRouter: true);
        LabDescription lab = _lab.Description;
        int pid = NamespacePid, overlayMtu = lab.Mtu - 50;
        LabShell.RunInNetwork(_lab.RootPid, LabScripts.Cable, $"the cable of {Name}", Port, $"{pid}", "switch", $"{lab.Mtu}", HardwareAddress);
        LabShell.RunInNetwork(pid, LabScripts.Card, $"the card of {Name}", $"{Address4}/{lab.UnderlayPrefix}", "", "");
        string[] peers = [.. lab.Hosts.Where(host => host.Name != Name).Select(host => host.Address)];
        LabShell.RunInNetwork(pid, LabScripts.Overlay, $"the overlay on {Name}", [Address4, $"{lab.OverlayId}", $"{overlayMtu}", $"{Description.Gateway}/{lab.OverlayPrefix}", .. peers]);
        foreach ((int index, LabPlace container) in Containers.Index())
        {
            container.Begin(pid, _lab.PlaceScript, RunFolder);
            LabShell.RunInNetwork(pid, LabScripts.Cable, $"the cable of {container.Name}", $"veth{index + 1}", $"{container.NamespacePid}", "containers", $"{overlayMtu}", container.HardwareAddress);
            LabShell.RunInNetwork(container.NamespacePid, LabScripts.Card, $"the card of {container.Name}", $"{container.Address4}/{lab.OverlayPrefix}", container.Address6, Description.Gateway);
        }
        if (!Description.Link.IsPlain) Slow(Description.Link);
    }

    private string Port => $"port{_number}";

    private static LabException Unknown(string daemon) => new($"There is no daemon '{daemon}', only router and hunter.");

    private void SetPort(int state) => LabShell.RunInNetwork(_lab.RootPid, "bridge link set dev \"$1\" state \"$2\"", $"switching {Name}'s port", Port, $"{state}");

    private void StartRouter()
    {
        File.Delete(RouterSocket);
        string[] certificates = _lab.Description.Certificates ? LabCertificates.Options(_lab.CertificatesFolder) : ["--insecure-fabric"];
        StartDaemon("router", [Artifacts.Router, "--state", Path.Combine(Folder, "state"), "--locations", _lab.LocationSource, "--host", Address4, .. certificates, .. _lab.Description.RouterArguments]);
        Ready("router", () => File.Exists(RouterSocket) && RouterStatus.TryQuery(RouterSocket) is not null);
    }

    private void StartHunter()
    {
        int said = Log("hunter").Length;
        StartDaemon("hunter", [Artifacts.Hunter, "--source", "netns", "--host-ip", Address4, "--node-name", Name, "--endpoints", _lab.EtcdUrl, .. _lab.Description.HunterArguments]);
        Ready("hunter", () => Log("hunter").AsSpan(said).Contains("publishes", StringComparison.Ordinal));
    }
}
