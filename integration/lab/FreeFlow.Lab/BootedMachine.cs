using System;
using System.IO;
using System.Linq;

namespace FreeFlow.Lab;

/// <summary>
/// A container with systemd as its first process: this machine's own root, below a layer that takes what is written and goes with the container. No service of the machine's
/// starts in it but the basic ones, and dpkg installs all of a package, whatever a container image leaves out. A call that containers are not given by default, and a service of ours needs, is. Needs root and Debian's systemd-container.
/// </summary>
public sealed class BootedMachine : NetworkPlace, IDisposable
{
    // Below the pid namespace's first process: when this program ends, in whatever way, its input ends, and with it everything.
    private const string Script = """
        set -e
        folder=$1 name=$2
        for tree in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
            [ ! -e "$tree/cgroup.procs" ] || { mkdir -p "$tree/$name"; echo 0 >"$tree/$name/cgroup.procs"; }
        done
        mount -t tmpfs tmpfs "$folder/disk"
        mkdir "$folder/disk/upper" "$folder/disk/work" "$folder/disk/root"
        mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/disk/upper,workdir=$folder/disk/work" "$folder/disk/root"
        root=$folder/disk/root
        rm -rf "$root"/etc/systemd/system/*.wants "$root/usr/sbin/policy-rc.d" "$root/var/log/journal" "$root/var/lib/man-db/auto-update" "$root/etc/dpkg/dpkg.cfg.d"
        exec 3<&0
        systemd-nspawn --quiet --system-call-filter='pidfd_getfd bpf' --register=no --keep-unit --boot --directory="$root" --private-network --link-journal=no --console=pipe --bind-ro="$folder/files:/mnt" </dev/null &
        cat <&3 >/dev/null
        """;

    private readonly LabProcess _process;
    private readonly string _folder;
    private int _systemd;

    /// <summary>Boots, and waits until the basic services run.</summary>
    /// <param name="files">Files that appear in /mnt.</param>
    public BootedMachine(params string[] files) : base("machine")
    {
        LabCleanup.SweepDeadRuns();
        _folder = LabCleanup.NewFolder();
        LabCleanup.Register(this);
        Directory.CreateDirectory(Path.Combine(_folder, "disk"));
        string given = Directory.CreateDirectory(Path.Combine(_folder, "files")).FullName;
        foreach (string file in files) File.Copy(file, Path.Combine(given, Path.GetFileName(file)));
        _process = new LabProcess(["unshare", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c", Script, "sh", _folder, Path.GetFileName(_folder)], "the machine", nested: true);
        bool up = Waiting.Until(() => _process.HasExited || ((_systemd = FindSystemd()) != 0 && Control("is-system-running").Output.Trim() is "running" or "degraded"), TimeSpan.FromSeconds(60));
        if (up && !_process.HasExited) return;
        string said = $"systemd did not come up: {(_process.Output + _process.Error).Trim()}";
        Dispose();
        throw new LabException(said);
    }

    /// <inheritdoc/>
    public override int NamespacePid => _systemd;

    // Its cgroup namespace too, so that systemctl finds what it speaks of.
    internal override string[] Entry => ["nsenter", "-t", $"{_systemd}", "-m", "-n", "-p", "-i", "-u", "-C", "--"];

    /// <summary>Runs <c>systemctl</c>.</summary>
    public CompletedProcess Control(params string[] words) => Run(new CommandLine("systemctl", ["--no-pager", .. words]));

    /// <summary>One property of a unit.</summary>
    public string Property(string unit, string name) => Control("show", "--value", "-p", name, unit).Succeeded("systemctl show").Output.Trim();

    /// <summary>What a unit has written to the journal.</summary>
    public string Journal(string unit) => Run(new CommandLine("journalctl", "--no-pager", "--output=cat", "-u", unit)).Output;

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.Kill();
        _process.Dispose();
        LabCleanup.Unregister(this);
        LabCleanup.DeleteFolder(_folder);
    }

    private int FindSystemd() => ProcessTree.Members(_process.Root).FirstOrDefault(pid =>
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/comm") == "systemd\n";
        }
        catch (IOException)
        {
            return false; // it has ended
        }
    });
}
