using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace FreeFlow.Lab.Hosts;

/// <summary>
/// Several hosts on one machine, each with containers, joined by an underlay and, above it, a vxlan overlay; etcd beside them, a router and a hunter on each. Needs root.
/// </summary>
/// <remarks>
/// Everything lives below one process, the first of a pid namespace: when that ends, in whatever way, the kernel ends the rest, and namespaces, mounts and cables with it.
/// </remarks>
public sealed class Laboratory : IDisposable
{
    /// <summary>Where <c>freeflow lab</c> keeps its state without --lab.</summary>
    public const string DefaultFolder = "/var/lib/freeflow-lab";

    private const int RouterPort = 4799;
    private const string DescriptionFile = "lab.yaml";
    private readonly bool _temporary;
    private readonly object _takedown = new();
    private LabProcess? _root;
    private bool _disposed;

    private Laboratory(LabDescription description, string folder, bool temporary)
    {
        (Description, Folder, _temporary) = (description, folder, temporary);
        Hosts = [.. description.Hosts.Select((host, index) => new LabHost(this, host, index + 1))];
        Etcd = new LabPlace("etcd", Path.Combine(folder, "etcd")) { Address4 = description.EtcdAddress };
    }

    /// <summary>As the file says.</summary>
    public LabDescription Description { get; }

    /// <summary>State and logs; gone after the end.</summary>
    public string Folder { get; }

    /// <summary>The hosts.</summary>
    public IReadOnlyList<LabHost> Hosts { get; }

    /// <summary>Bytes that the routers which run have carried to each other and from each other.</summary>
    public long FabricBytes => Hosts.Where(host => host.DaemonPid("router") != 0).Sum(host => host.Status().FabricBytes);

    /// <summary>Where etcd runs, if the description has one.</summary>
    public LabPlace Etcd { get; }

    /// <summary>etcd's client URL.</summary>
    public string EtcdUrl => $"http://{Description.EtcdAddress}:2379";

    /// <summary>The file with the locations of all containers that the routers read where there is no etcd.</summary>
    public string LocationsFile => Path.Combine(Folder, "locations");

    /// <summary>A host by its name.</summary>
    public LabHost this[string host] => Hosts.FirstOrDefault(each => each.Name == host) ?? throw new LabException($"The laboratory has no host '{host}', only {string.Join(", ", Hosts.Select(each => each.Name))}.");

    /// <summary>HOST, HOST/CONTAINER or etcd.</summary>
    public LabPlace Find(string name)
    {
        if (name == "etcd" && Description.Etcd) return Etcd;
        string[] parts = name.Split('/', 2);
        return parts.Length == 1 ? this[parts[0]] : this[parts[0]][parts[1]];
    }

    /// <summary>A laboratory that belongs to this program and ends with it, at the latest.</summary>
    public static Laboratory Start(LabDescription description)
    {
        LabCleanup.SweepDeadRuns();
        Laboratory lab = new(description, LabCleanup.NewFolder(), temporary: true);
        LabCleanup.Register(lab);
        lab.Build();
        return lab;
    }

    /// <summary>A laboratory that stays until <see cref="Down"/>. If this is interrupted nothing stays.</summary>
    public static Laboratory Up(LabDescription description, string folder)
    {
        string full = Path.GetFullPath(folder);
        // A place's /run is its own: what lies below the machine's cannot be seen there.
        if (full.StartsWith("/run/", StringComparison.Ordinal) || full.StartsWith("/proc/", StringComparison.Ordinal)) throw new LabException($"{full}: the laboratory's folder cannot be below /run or /proc.");
        if (LifeFile.Living(Path.Combine(full, "root")) > 0) throw new LabException($"The laboratory in {full} is up already: freeflow lab down takes it down.");
        if (Directory.Exists(full) && Directory.EnumerateFileSystemEntries(full).Any() && !File.Exists(Path.Combine(full, DescriptionFile))) throw new LabException($"{full} is not empty and no laboratory's folder.");
        Down(full);
        Directory.CreateDirectory(full);
        Laboratory lab = new(description, full, temporary: false);
        lab.Build();
        File.WriteAllText(Path.Combine(full, "up"), "");
        lab._root!.Input.Dispose();
        return lab;
    }

    /// <summary>The laboratory that is up in a folder.</summary>
    public static Laboratory Open(string folder)
    {
        string full = Path.GetFullPath(folder);
        if (LifeFile.Living(Path.Combine(full, "root")) == 0) throw new LabException($"No laboratory is up in {full}: freeflow lab up FILE brings one up.");
        return new Laboratory(LabFile.Read(Path.Combine(full, DescriptionFile)), full, temporary: false);
    }

    /// <summary>Ends a laboratory, or what was left of it; false if there was none. May be repeated.</summary>
    public static bool Down(string folder)
    {
        string full = Path.GetFullPath(folder);
        if (!File.Exists(Path.Combine(full, DescriptionFile))) return false;
        string root = Path.Combine(full, "root");
        int pid = LifeFile.Living(root);
        if (pid > 0) _ = Native.kill(pid, Native.SIGKILL);
        if (!Waiting.Until(() => LifeFile.Living(root) == 0, TimeSpan.FromSeconds(15))) throw new LabException($"Process {pid} of the laboratory in {full} does not end.");
        Directory.Delete(full, recursive: true);
        return true;
    }

    /// <summary>Starts etcd (after <c>Etcd.Signal</c>) with the data it had.</summary>
    public void StartEtcd()
    {
        string data = Path.Combine(Etcd.Folder, "data");
        Etcd.StartDaemon("etcd", "etcd", "--name", "lab", "--data-dir", data, "--log-level", "warn", "--logger", "zap", "--listen-client-urls", EtcdUrl, "--advertise-client-urls", EtcdUrl,
            "--listen-peer-urls", "http://127.0.0.1:2380", "--initial-advertise-peer-urls", "http://127.0.0.1:2380", "--initial-cluster", "lab=http://127.0.0.1:2380");
        Etcd.Ready("etcd", () => Etcd.IsListening(2379));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_takedown)
        {
            if (_disposed || !_temporary) return;
            _disposed = true;
            _root?.Dispose();
            LabCleanup.Unregister(this);
            _ = Down(Folder);
            LabCleanup.DeleteFolder(Folder);
        }
    }

    internal int RootPid => LifeFile.Living(Path.Combine(Folder, "root")) is var pid and > 0 ? pid : throw new LabException($"No laboratory is up in {Folder}.");

    internal string LocationSource => Description.Etcd ? $"etcd:{EtcdUrl}" : $"file:{LocationsFile}";

    internal string CertificatesFolder => Path.Combine(Folder, "certificates");

    internal string PlaceScript => Path.Combine(Folder, "place.sh");

    private void Build()
    {
        if (!Environment.IsPrivilegedProcess) throw new LabException("Network namespaces need root: run this as root.");
        try
        {
            File.WriteAllText(Path.Combine(Folder, DescriptionFile), LabFile.Write(Description));
            File.WriteAllText(PlaceScript, LabScripts.Place);
            if (Description.Certificates) LabCertificates.Create(CertificatesFolder, Description.Hosts.Select(host => host.Address));
            string root = Path.Combine(Folder, "root");
            _root = new LabProcess(["unshare", "--net", "--pid", "--fork", "sh", "-c", LabScripts.Root, "freeflow-lab", Folder], "the laboratory", nested: true);
            if (!Waiting.Until(() => File.Exists(root) || File.Exists(root + ".failed") || _root.HasExited, TimeSpan.FromSeconds(15)) || !File.Exists(root)) throw new LabException($"the laboratory did not come up: {_root.Error}");
            if (Description.Etcd)
            {
                Etcd.Begin(RootPid, PlaceScript, Directory.CreateDirectory(Path.Combine(Etcd.Folder, "run")).FullName);
                LabShell.RunInNetwork(RootPid, LabScripts.Cable, "etcd's cable", "port0", $"{Etcd.NamespacePid}", "switch", $"{Description.Mtu}", Etcd.HardwareAddress);
                LabShell.RunInNetwork(Etcd.NamespacePid, LabScripts.Card, "etcd's card", $"{Etcd.Address4}/{Description.UnderlayPrefix}", "", "");
                StartEtcd();
            }
            else
            {
                File.WriteAllLines(LocationsFile, Description.Hosts.SelectMany(host => host.Containers
                    .SelectMany(container => new[] { $"{container.Address4} {host.Address}", $"{container.Address6} {host.Address}" })
                    .Append($"router {host.Address} port={RouterPort} capabilities=tcp name={host.Name}")));
            }
            foreach (LabHost host in Hosts) host.Start();
        }
        catch
        {
            _root?.Dispose();
            _ = Down(Folder);
            Dispose();
            throw;
        }
    }
}
