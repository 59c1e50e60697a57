using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Packages;

/// <summary>The packages on a machine with systemd: installed, started, used, reloaded, watched, removed. Each test begins where the one before it ended.</summary>
[TestFixture]
public sealed class PackageTests
{
    private const string Router = "freeflow-router.service", Hunter = "freeflow-hunter.service";

    /// <summary>Half of what so many questions and answers of some 40 bytes are together: only those before the rings are there go by the kernel, on a busy machine some thousands.</summary>
    private const long Questions = 20_000, MostOfTheBytes = Questions * 20;

    private BootedMachine _machine = null!;

    [OneTimeSetUp]
    public void Boot() => _machine = new BootedMachine(PackageFile.Deb, PackageFile.Rpm);

    [OneTimeTearDown]
    public void Down() => _machine.Dispose();

    [Test, Order(1)]
    public void TheDebStartsTheRouterAndNotTheHunter()
    {
        _ = Shell("dpkg -i /mnt/*.deb");
        Assert.That(_machine.Property(Router, "ActiveState"), Is.EqualTo("active"));
        Assert.That(_machine.Property(Router, "StatusText"), Is.EqualTo("listens on /run/freeflow/router.sock"));
        Assert.That(_machine.Property(Router, "UnitFileState"), Is.EqualTo("enabled"));
        Assert.That((_machine.Property(Hunter, "ActiveState"), _machine.Property(Hunter, "UnitFileState")), Is.EqualTo(("inactive", "disabled")));
        Assert.That(Shell("dpkg --verify freeflow"), Is.Empty, "files differ from the package's");
        Assert.That(Shell("stat -c '%a %U' /run/freeflow /etc/freeflow/router.conf"), Is.EqualTo("755 root\n644 root\n"));
        Assert.That(Shell("zcat /usr/share/man/man8/freeflow-router.8.gz"), Does.Contain("SOURCE"));
    }

    [Test, Order(2)]
    public void RedisInTwoContainersGoesThroughARing()
    {
        _ = Shell("""
            ip netns add server && ip netns add client
            ip link add name eth0 netns server type veth peer name eth0 netns client
            ip -n server addr add 10.5.0.1/24 dev eth0 && ip -n client addr add 10.5.0.2/24 dev eth0
            ip -n server link set dev eth0 up && ip -n client link set dev eth0 up
            systemd-run --quiet --unit=server ip netns exec server freeflow run -- redis-server --save '' --protected-mode no --bind 10.5.0.1
            """);
        Assert.That(BenchmarkedRingBytes(), Is.GreaterThan(MostOfTheBytes));
    }

    [Test, Order(3)]
    public void ARestartedRouterIsFoundAgainInTheSameFolder()
    {
        string folder = Shell("stat -c %i /run/freeflow"), pid = _machine.Property(Router, "MainPID");
        _ = _machine.Control("restart", Router).Succeeded("restart");
        Assert.That(_machine.Property(Router, "MainPID"), Is.Not.EqualTo(pid));
        Assert.That(Shell("stat -c %i /run/freeflow"), Is.EqualTo(folder), "containers have mounted the folder");
        // The running server takes up with the new router by itself.
        Assert.That(Waiting.Until(() => BenchmarkedRingBytes() > MostOfTheBytes, TimeSpan.FromSeconds(20)), "no bytes through rings of the new router");
        Says(Router, "\nstopped\n");
    }

    [Test, Order(4)]
    public void AReloadReadsTheOptionsAgainAndAMistakeEndsNothing()
    {
        string pid = _machine.Property(Router, "MainPID");
        _ = Shell("echo verbose >>/etc/freeflow/router.conf");
        _ = _machine.Control("reload", Router).Succeeded("reload");
        _ = Shell("freeflow status");
        Says(Router, "options are read again");
        Says(Router, " ended"); // the status's own session, which only a verbose router speaks of
        _ = Shell("echo bogus >>/etc/freeflow/router.conf");
        _ = _machine.Control("reload", Router).Succeeded("reload with a mistake");
        Says(Router, "the options stay as they are: unknown option --bogus");
        Assert.That((_machine.Property(Router, "ActiveState"), _machine.Property(Router, "MainPID")), Is.EqualTo(("active", pid)));
        _ = Shell("sed -i -e /bogus/d -e /^verbose/d /etc/freeflow/router.conf");
    }

    [Test, Order(5)]
    public void ARouterThatHangsIsStartedAnew()
    {
        _ = Shell($"mkdir -p /run/systemd/system/{Router}.d; printf '[Service]\\nWatchdogSec=2\\n' >/run/systemd/system/{Router}.d/test.conf; systemctl daemon-reload; systemctl restart {Router}");
        string first = _machine.Property(Router, "WatchdogTimestampMonotonic"), restarts = _machine.Property(Router, "NRestarts");
        Assert.That(Waiting.Until(() => _machine.Property(Router, "WatchdogTimestampMonotonic") != first, TimeSpan.FromSeconds(20)), "no sign of life");
        _ = _machine.Control("kill", "--signal=STOP", Router).Succeeded("kill");
        Assert.That(Waiting.Until(() => _machine.Property(Router, "NRestarts") != restarts && _machine.Property(Router, "ActiveState") == "active", TimeSpan.FromSeconds(30)), () => _machine.Journal(Router));
        Says(Router, "Watchdog timeout");
        _ = Shell($"rm -r /run/systemd/system/{Router}.d; systemctl daemon-reload; systemctl restart {Router}");
    }

    /// <summary>What a router does that sends for a program which sleeps elsewhere (docs/fabric.md), with the rights that the unit leaves it: its socket and its ring.</summary>
    [Test, Order(6)]
    public void TheUnitsRightsAreEnoughToStandInForAProgram()
    {
        _ = Shell($$"""
            systemd-run --quiet --unit=holder --property=User=nobody /usr/bin/python3 -c 'import mmap, os, socket, time; one, other = socket.socketpair(); memory = os.memfd_create("ring"); os.truncate(memory, 4096); block = mmap.mmap(memory, 4096); time.sleep(60)'
            for _ in $(seq 100); do ! grep -q memfd:ring /proc/$(systemctl show --value -p MainPID holder)/maps || break; sleep 0.1; done
            cat >/run/borrow.py <<'EOF'
            import ctypes, os, sys
            PIDFD_GETFD = 438
            libc = ctypes.CDLL(None, use_errno=True)
            fd = libc.syscall(PIDFD_GETFD, os.pidfd_open(int(sys.argv[1])), 3, 0)
            ring = next(line.split()[0] for line in open(f"/proc/{sys.argv[1]}/maps") if "/memfd:ring" in line)
            os.open(f"/proc/{sys.argv[1]}/map_files/{ring}", os.O_RDWR)
            print("borrowed" if fd >= 0 and os.readlink(f"/proc/self/fd/{fd}").startswith("socket:") else os.strerror(ctypes.get_errno()), flush=True)
            EOF
            sed -e 's/^Type=.*/Type=oneshot/' -e "s|^ExecStart=.*|ExecStart=/usr/bin/python3 /run/borrow.py $(systemctl show --value -p MainPID holder)|" -e '/^Restart/d' -e '/^Watchdog/d' -e '/^RuntimeDirectory/d' \
                /usr/lib/systemd/system/{{Router}} >/run/systemd/system/borrow.service
            systemctl daemon-reload
            systemctl start borrow || true
            """);
        Says("borrow", "borrowed");
        _ = Shell("systemctl stop holder; rm /run/systemd/system/borrow.service /run/borrow.py; systemctl daemon-reload");
    }

    [Test, Order(7)]
    public void TheHunterPublishesTheContainersFromItsUnit()
    {
        _ = Shell("""
            ip link set dev lo up
            systemctl start etcd
            printf 'endpoints http://127.0.0.1:2379\nsource netns\nhost-ip 192.168.9.9\n' >/etc/freeflow/hunter.conf
            systemctl start freeflow-hunter
            """);
        Assert.That(_machine.Property(Hunter, "StatusText"), Does.StartWith("publishes 192.168.9.9"));
        string key = Convert.ToBase64String("Microsoft/FreeFlow/10.5.0.1"u8), ask = $"curl -s -d '{{\"key\":\"{key}\"}}' http://127.0.0.1:2379/v3/kv/range";
        Assert.That(Waiting.Until(() => Shell(ask).Contains("\"count\":\"1\"", StringComparison.Ordinal), TimeSpan.FromSeconds(20)), () => _machine.Journal(Hunter));
        _ = _machine.Control("reload", Hunter).Succeeded("reload");
        Assert.That(_machine.Property(Hunter, "ActiveState"), Is.EqualTo("active"));
        _ = _machine.Control("stop", Hunter).Succeeded("stop");
        Assert.That(_machine.Property(Hunter, "Result"), Is.EqualTo("success"));
    }

    [Test, Order(8)]
    public void TheInstalledLaboratoryWorks()
    {
        _ = Shell("freeflow lab up /usr/share/doc/freeflow/two-hosts.yaml");
        Assert.That(Shell("freeflow lab exec h1/a ping -c 1 -W 2 10.77.2.2"), Does.Contain(" 0% packet loss"));
        Assert.That(Shell("freeflow lab down"), Is.EqualTo("the laboratory is down\n"));
    }

    [Test, Order(9)]
    public void ThePurgedDebLeavesNothing()
    {
        string[] files = Shell("dpkg -L freeflow").Split('\n').Where(file => file.Contains("freeflow", StringComparison.Ordinal)).ToArray();
        Assert.That(files, Is.SupersetOf(Staged()), "the package lacks a staged file");
        _ = Shell("dpkg -r freeflow && dpkg -P freeflow");
        Assert.That(_machine.Property(Router, "LoadState"), Is.EqualTo("not-found"));
        Assert.That(files.Where(file => File.Exists($"/proc/{_machine.NamespacePid}/root{file}")), Is.Empty);
        Assert.That(Shell("find /etc /var/lib/systemd /run -name '*freeflow*'"), Is.Empty);
    }

    [Test, Order(10)]
    public void TheRpmBringsTheSameAndItsScriptsRun()
    {
        // Debian's rpm knows nothing of Debian's packages: what the rpm requires is not looked up, everything else is as on its own distributions.
        _ = Shell("rpm -i --nodeps /mnt/*.rpm");
        IEnumerable<string> expected = Staged().Select(file => file.Replace("/vendor-completions/", "/site-functions/", StringComparison.Ordinal));
        Assert.That(Shell("rpm -ql freeflow").Split('\n', StringSplitOptions.RemoveEmptyEntries), Is.SupersetOf(expected));
        Assert.That(Shell("rpm -V --nodeps freeflow"), Is.Empty);
        Assert.That(Shell("rpm -qc freeflow"), Is.EqualTo("/etc/freeflow/hunter.conf\n/etc/freeflow/router.conf\n"));
        Assert.That(Shell("rpm -q --requires freeflow"), Does.Contain("libc.so.6(GLIBC_").And.Not.Contain("libfreeflow"));
        _ = _machine.Control("start", Router).Succeeded("start");
        Assert.That(_machine.Property(Router, "ActiveState"), Is.EqualTo("active"));
        _ = Shell("rpm -e freeflow");
        Assert.That(_machine.Property(Router, "LoadState"), Is.EqualTo("not-found"));
        Assert.That(Shell("find /run -name '*freeflow*'"), Is.Empty);
    }

    // The journal is written a moment after the word.
    private void Says(string unit, string text)
    {
        string journal = "";
        Assert.That(Waiting.Until(() => (journal = _machine.Journal(unit)).Contains(text, StringComparison.Ordinal), TimeSpan.FromSeconds(10)), () => $"{unit} never says '{text}', but: {journal}");
    }

    private long BenchmarkedRingBytes()
    {
        long before = RingBytes();
        _ = Shell($"ip netns exec client env FREEFLOW_OFFER_AFTER=0 FREEFLOW_JOIN=wait freeflow run -- redis-benchmark -h 10.5.0.1 -n {Questions} -c 2 -t get -q");
        return RingBytes() - before;
    }

    private long RingBytes() => JsonDocument.Parse(Shell("freeflow status --json")).RootElement.GetProperty("router").GetProperty("ring_bytes_total").GetInt64();

    private string Shell(string script) => _machine.Run(new CommandLine("sh", "-ec", script)).Succeeded(script).Output;

    private static IEnumerable<string> Staged()
    {
        string tree = Path.Combine(PackageFile.Folder, "tree");
        return Directory.EnumerateFiles(tree, "*", SearchOption.AllDirectories).Select(file => file[tree.Length..]);
    }
}
