using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using FreeFlow.Native;

namespace FreeFlow.Cli.Inspection;

/// <summary>The router at a socket: whether it is there, who could take its place, and what it says of itself.</summary>
internal static class RouterChecks
{
    private const double NearlyUsed = 0.9;
    private const double OldSeconds = 30;

    /// <summary>How much memory of a bounded kind is left is the user's, not the router's: it is not in this list.</summary>
    private static readonly string[] s_limits = ["sessions", "connections", "rings", "ring_bytes"];

    public static IEnumerable<Finding> Of(string path)
    {
        if (Folder(path) is { } folder) yield return folder;
        if (RouterPresence.Problem(path) is { } problem)
        {
            string[] parts = problem.Split([": "], 2, StringSplitOptions.None);
            yield return new(Severity.Problem, "router", parts[0], "programs run as without FreeFlow, on the kernel's path", parts.Length > 1 ? parts[1] : "start freeflow-router");
            yield break;
        }
        byte[]? json = null;
        Finding? mute = null;
        try { json = RouterClient.AskStatus(path); }
        catch (CommandException exception)
        {
            mute = new(Severity.Problem, "router", exception.Message, "programs that ask it get no rings", "systemctl restart freeflow-router");
        }
        if (json is null)
        {
            yield return mute!;
            yield break;
        }
        using JsonDocument document = JsonDocument.Parse(json);
        foreach (Finding finding in Of(path, document.RootElement)) yield return finding;
    }

    /// <summary>What its status says.</summary>
    internal static List<Finding> Of(string path, JsonElement status)
    {
        List<Finding> findings = [];
        JsonElement router = status.GetProperty("router");
        string version = router.GetProperty("version").GetString() ?? "", own = typeof(RouterChecks).Assembly.GetName().Version?.ToString(3) ?? "";
        findings.Add(version == own
            ? new(Severity.Good, "router", $"{version} answers at {path}, pid {router.GetProperty("pid").GetRawText()}, {router.GetProperty("sessions").GetRawText()} processes")
            : new(Severity.Warning, "router", $"{version} answers at {path}, and this is {own}", "programs and router of different versions may not understand each other: those stay in the kernel (VersionMismatch)", "systemctl restart freeflow-router, and start the programs again when it suits"));
        if (router.GetProperty("faults").GetInt64() is > 0 and var faults)
            findings.Add(new(Severity.Warning, "faults", $"the router has survived {faults} faults", "each is a defect of the router, or memory was short", "journalctl -u freeflow-router | grep fault, and report it"));
        if (router.GetProperty("refused").TryGetProperty("NoWitness", out JsonElement blind) && blind.GetInt64() > 0)
        {
            findings.Add(new(Severity.Problem, "witness", $"the router could not prove {blind.GetInt64()} connections", "it lacks the rights or the kernel the means to see whose they are: they stay in the kernel",
                "run it as root with CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_SYS_PTRACE and CAP_BPF, as its unit does: systemctl cat freeflow-router"));
        }
        if (status.TryGetProperty("users", out JsonElement users)) findings.AddRange(users.EnumerateArray().SelectMany(Limits));
        if (status.TryGetProperty("cluster", out JsonElement cluster)) findings.AddRange(Cluster(cluster));
        return findings;
    }

    private static IEnumerable<Finding> Limits(JsonElement user)
    {
        foreach (string name in s_limits)
        {
            double used = user.GetProperty(name).GetUInt64(), most = user.GetProperty("max_" + name).GetUInt64();
            if (most > 0 && used / most < NearlyUsed) continue;
            string option = $"--max-{name.Replace('_', '-')}-per-user";
            yield return new(Severity.Warning, "limits", string.Create(CultureInfo.InvariantCulture, $"user {user.GetProperty("uid").GetRawText()} has {used} of {most} {name.Replace('_', ' ')}"),
                "beyond that its connections stay in the kernel (RouterLimit)", $"raise {option} in /etc/freeflow/router.conf, and systemctl restart freeflow-router");
        }
    }

    private static IEnumerable<Finding> Cluster(JsonElement cluster)
    {
        JsonElement locations = cluster.GetProperty("locations");
        string state = locations.GetProperty("state").GetString() ?? "", source = locations.GetProperty("source").GetString() ?? "", detail = locations.GetProperty("detail").GetString() ?? "";
        double age = locations.GetProperty("age_s").GetDouble();
        string said = detail.Length > 0 ? $" ({detail})" : "";
        if (state == "none") yield break;
        if (state == "current") yield return new(Severity.Good, "locations", $"{source}: current, {locations.GetProperty("addresses").GetRawText()} addresses on {locations.GetProperty("hosts").GetRawText()} hosts");
        else if (state == "starting") yield return new(Severity.Problem, "locations", $"{source}: nothing learnt yet{said}", "connections with other hosts stay on the overlay", Reach(source));
        else if (age > OldSeconds) yield return new(Severity.Warning, "locations", $"{source}: the view is {Units.Duration(age)} old{said}", "addresses that have moved since are not found where they are: those connections stay on the overlay", Reach(source));
        else yield return new(Severity.Note, "locations", $"{source}: an outage of {Units.Duration(age)}{said}", "the last view goes on holding", Reach(source));
        if (cluster.GetProperty("host").GetString() is not { Length: > 0 })
            yield return new(Severity.Problem, "host", "this host's address is not known to the router", "other hosts cannot be reached over the fabric", "give it as 'host ADDRESS' in /etc/freeflow/router.conf, and systemctl restart freeflow-router");
        if (!cluster.TryGetProperty("fabric", out _))
            yield return new(Severity.Problem, "fabric", "there is none", "connections with other hosts stay on the overlay", "give the router certificates: fabric-ca, fabric-cert and fabric-key in /etc/freeflow/router.conf (/usr/share/doc/freeflow/fabric.md)");
        if (!cluster.TryGetProperty("published", out JsonElement published)) yield break;
        if (published.GetProperty("lost").GetInt64() > 0)
            yield return new(Severity.Warning, "published", "another router publishes this host's address, with a newer claim", "other hosts reach that one instead of this one", "give each host an address of its own: 'host ADDRESS' in /etc/freeflow/router.conf");
        else if (published.GetProperty("problem").GetString() is { Length: > 0 } problem)
            yield return new(Severity.Warning, "published", $"etcd does not take this router's entry ({problem})", "other hosts cannot find it once its lease has ended", Reach(source));
    }

    private static string Reach(string source) => source.StartsWith("file", StringComparison.Ordinal)
        ? $"look at the file's first mistake in the router's log: journalctl -u freeflow-router -n 20; ls -l {source.Split(' ')[^1]}"
        : "ask etcd itself: etcdctl --endpoints=ENDPOINT endpoint health";

    /// <summary>Programs show their sockets to whoever answers there: nobody else may be able to take the router's place.</summary>
    private static Finding? Folder(string path)
    {
        const uint sticky = 0x200, othersMayWrite = 0x2, groupMayWrite = 0x10;
        string folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";
        if (Libc.stat(folder, out FileStatus file) != 0) return null;
        bool others = (file.Mode & sticky) == 0 && ((file.Mode & othersMayWrite) != 0 || ((file.Mode & groupMayWrite) != 0 && file.GroupId != 0));
        bool foreign = file.UserId != 0 && file.UserId != Libc.geteuid();
        if (!others && !foreign) return null;
        return new(Severity.Problem, "folder", $"{folder} {(foreign ? $"belongs to user {file.UserId}" : $"may be written by others (mode {Convert.ToString(file.Mode & 0xfff, 8)})")}",
            "whoever can replace the router's socket would be shown programs' sockets: the router does not start there, and programs do not trust it", foreign ? $"chown root {folder}" : $"chmod 755 {folder}");
    }
}
