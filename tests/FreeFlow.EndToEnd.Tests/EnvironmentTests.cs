using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>Programs in narrow places: limits, sandboxes, namespaces, other libraries. Preloaded, they print and return what they do without.</summary>
public sealed class EnvironmentTests
{
    private Stage _stage = null!;
    private string _programs = "";

    [OneTimeSetUp]
    public void SetUp()
    {
        Tools.Require("gcc", Tools.Python);
        _stage = new Stage(Mixture.Both).WaitingForTheJoin();
        _programs = Directory.CreateDirectory(Path.Combine(_stage.Folder, "programs")).FullName;
        // Containers of the cases' own may not see the checkout.
        foreach (string library in Directory.GetFiles(Path.GetDirectoryName(Artifacts.PreloadLibrary)!, "libfreeflow*.so")) File.Copy(library, Path.Combine(_programs, Path.GetFileName(library)));
        Compile("talk", "talk.c");
        Compile("stack", "stack.c", "-lpthread");
        Compile("talk-address", "talk.c", "-fsanitize=address");
        Compile("talk-address-options", "talk.c", "-fsanitize=address", "-DOPTIONS");
        Compile("talk-leak", "talk.c", "-fsanitize=leak");
        Compile("talk-thread", "talk.c", "-fsanitize=thread");
        Compile("talk-undefined", "talk.c", "-fsanitize=undefined");
        Compile("talk-setuid", "talk.c");
        Compile("ring-guest.so", "ring_guest.c", "-DGUEST", "-shared", "-fPIC", "-luring");
        Compile("ring-host", "ring_guest.c");
        Compile("stranger.so", "stranger.c", "-shared", "-fPIC");
        Compile("stranger-now.so", "stranger.c", "-shared", "-fPIC", "-Wl,-z,now");
        Compile("wrapper.so", "wrapper.c", "-shared", "-fPIC");
        Compile("namespace", "namespace.c");
        Compile("assembly", "assembly.c");
        Compile("streams", "streams.c", "-Wno-unused-result");
        string apart = Directory.CreateDirectory(Path.Combine(_programs, "apart")).FullName;
        Compile("apart/libstranger.so", "stranger.c", "-shared", "-fPIC");
        Compile("apart/finder", "finder.c", $"-Wl,-rpath,{apart}");
        Compile("moments", "moments.c", "-rdynamic", "-lpthread");
        Compile("late", "late.c", "-lpthread");
        Compile("plugin.so", "moments.c", "-shared", "-fPIC", "-DPLUGIN");
        Compile("allocator.so", "moments.c", "-shared", "-fPIC", "-DALLOCATOR");
        string small = Directory.CreateDirectory(Path.Combine(_programs, "small")).FullName;
        File.Copy(Path.Combine(_programs, "libfreeflow-core.so"), Path.Combine(small, "libfreeflow-core.so"));
        _ = Place.Host.Run(new CommandLine(Path.Combine(Artifacts.Root, "shim", "build-preload.sh"), Path.Combine(small, "libfreeflow.so"), "-DFF_DESCRIPTORS=8192")).Succeeded("build-preload.sh");
        _ = Place.Host.Run(new CommandLine("sh", "-c", $"chown nobody {_programs}/talk-setuid && chmod 4755 {_programs}/talk-setuid")).Succeeded("chmod");
    }

    [OneTimeTearDown]
    public void TearDown() => _stage?.Dispose();

    private static TestCaseData Case(string name, string needs, string script, bool ring) =>
        new TestCaseData(needs.Split(' ', StringSplitOptions.RemoveEmptyEntries), script, ring).SetArgDisplayNames(name);

    // $TALK is a program with a connection to itself, $HERE the folder of all programs, $PYTHON runs one of the scripts.
    private static IEnumerable<TestCaseData> Cases()
    {
        yield return Case("nothing narrow", "", "$TALK", ring: true);

        yield return Case("little address space", "", "ulimit -v 30000; $TALK", ring: false);
        yield return Case("some address space", "", "ulimit -v 300000; $TALK", ring: false);
        yield return Case("little data", "", "ulimit -d 10000; $TALK", ring: false);
        yield return Case("no locked memory", "", "ulimit -l 0; $TALK", ring: true);
        yield return Case("no threads", "setpriv", "ulimit -u 1; setpriv --reuid=65533 --clear-groups $TALK", ring: false);
        yield return Case("six descriptors", "", "ulimit -n 6; $TALK", ring: false);
        yield return Case("descriptors, soft limit", "", "$PYTHON descriptors.py 64", ring: true);
        yield return Case("descriptors, lower hard limit", "", "$PYTHON descriptors.py 64 hard", ring: false);
        // As beyond 1,048,575 with the library as it is (OtherKernelTests).
        yield return Case("descriptors beyond the table", "", "LD_PRELOAD=${LD_PRELOAD:+$HERE/small/libfreeflow.so} $PYTHON high_numbers.py 8192", ring: true);
        yield return Case("stack of 16 KiB", "", "$HERE/stack 16", ring: true);
        yield return Case("context of 16 KiB", "", "$HERE/stack 16 context", ring: true);
        yield return Case("context of 64 KiB", "", "$HERE/stack 64 context", ring: true);

        // The kernel charges a ring's pages to the control group that touches them first.
        yield return Case("64 MiB for a control group", "", "$CGROUP 67108864 0 $TALK 2000", ring: true);
        yield return Case("few processes for a control group", "", "$CGROUP 0 4 $TALK", ring: true);
        yield return Case("one process for a control group", "", "$CGROUP 0 1 $TALK", ring: false);

        yield return Case("/dev/shm full", "unshare", "unshare -m sh -c 'mount -t tmpfs -o size=4k none /dev/shm; dd if=/dev/zero of=/dev/shm/x bs=4k count=1 2>/dev/null; $TALK'", ring: true);
        yield return Case("no /dev/shm", "unshare", "unshare -m sh -c 'umount -l /dev/shm; $TALK'", ring: true);
        yield return Case("read-only root", "unshare", "unshare -m sh -c 'mount --bind / / && mount -o remount,bind,ro / && touch /etc/x 2>/dev/null || $TALK'", ring: true);
        yield return Case("no /proc", "unshare", "unshare -m sh -c 'umount -l /proc; $TALK'", ring: true);
        yield return Case("chroot", "unshare", """
            mkdir -p jail/usr jail/here jail/router; ln -s usr/lib jail/lib; ln -s usr/lib64 jail/lib64
            router=$(dirname ${FREEFLOW_SOCKET:-/run/freeflow/router.sock}); library=${LD_PRELOAD:+/here/libfreeflow.so}; unset LD_PRELOAD
            unshare -m sh -c "mount --bind /usr jail/usr; mount --bind $HERE jail/here; mount --bind $router jail/router
                chroot jail /usr/bin/env LD_PRELOAD=$library FREEFLOW_SOCKET=/router/router.sock /here/talk"
            """, ring: true);
        yield return Case("user namespace", "unshare", "unshare -Ur $TALK", ring: true);
        yield return Case("process 1 of a pid namespace", "unshare", "unshare -pf --mount-proc $TALK; unshare -Urpf --mount-proc $TALK", ring: true);
        yield return Case("no new privileges, no capabilities", "setpriv", "setpriv --no-new-privs --bounding-set=-all --inh-caps=-all $TALK; setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs $TALK", ring: true);
        yield return Case("bubblewrap", "bwrap", "bwrap --ro-bind / / --dev /dev --proc /proc --unshare-user --unshare-pid --unshare-ipc --die-with-parent --as-pid-1 --cap-drop ALL $TALK", ring: true);
        yield return Case("setuid", "", "setpriv --reuid=65533 --clear-groups $HERE/talk-setuid", ring: false);

        // Nothing may be loaded into the process at these moments; a connection of a later one is in a ring.
        foreach (string moment in new[] { "fault", "fault-aside", "fault-nodefer", "signal", "realtime-signal", "constructor", "beside-constructor", "threads", "vfork", "iterate", "before-main" })
            yield return Case($"moment: {moment}", "", $"{(moment == "beside-constructor" ? "WAIT=1 " : "")}MOMENT={moment} timeout 60 $HERE/moments {moment} $HERE/plugin.so", ring: true);
        yield return Case("moment: atexit", "", "MOMENT=atexit timeout 60 $HERE/moments atexit; MOMENT=destructor timeout 60 $HERE/moments destructor", ring: false);
        yield return Case("moment: allocator", "", """
            export MOMENT=allocator
            LD_PRELOAD=${LD_PRELOAD:+$LD_PRELOAD:}$HERE/allocator.so timeout 60 $HERE/moments allocator
            LD_PRELOAD=$HERE/allocator.so${LD_PRELOAD:+:$LD_PRELOAD} timeout 60 $HERE/moments allocator
            """, ring: true);

        // With the settings that programs have: the core comes when a connection is worth it, and must find what it was used for before.
        const string usual = "env -u FREEFLOW_OFFER_AFTER -u FREEFLOW_JOIN timeout 60 $HERE/late";
        yield return Case("late: little", "", $"{usual} little", ring: false);
        foreach (string way in new[] { "exec", "rights", "urgent", "stream", "shutdown" }) yield return Case($"late: {way}", "", $"{usual} {way} 20", ring: false);
        foreach (string way in new[]
        {
            "plain", "bytes", "dup", "dup-later", "dup2", "fcntl-dup", "fork-child", "fork-parent", "fork-both", "daemon", "thread", "spawn", "system",
            "epoll", "epoll-edge", "epoll-once", "poll", "select", "closed", "close-range", "many", "peek", "unread",
        })
            yield return Case($"late: {way}", "", $"{usual} {way} 50; FREEFLOW_OFFER_AFTER=3 timeout 60 $HERE/late {way} 50", ring: way is not ("spawn" or "fork-both"));

        yield return Case("locked memory to come", "", "$HERE/moments locked", ring: false);
        yield return Case("locked memory to come, little of it", "setpriv", "ulimit -l 8192; setpriv --reuid=65533 --clear-groups --bounding-set=-all --inh-caps=-all $HERE/moments locked", ring: false);
        yield return Case("locked memory to come, as it is touched", "setpriv", "ulimit -l 8192; setpriv --reuid=65533 --clear-groups --bounding-set=-all --inh-caps=-all $HERE/moments locked-on-fault", ring: false);
        yield return Case("dispositions of all signals", "", "$HERE/moments dispositions; $HERE/moments ended-by-signals", ring: true);
        yield return Case("every limit", "", """
            for limit in v d l n f i; do
                for size in 0 1 4 8 16 100 600 1024 1400 4096 8192 10000 20000 50000 65536 100000 200000 300000 400000 500000 520000 550000 600000 1000000 2000000 4000000 4200000 4300000 6000000; do
                    echo "$limit $size: $( (ulimit -$limit $size && exec $HERE/moments none) 2>/dev/null; echo $?)"
                done
            done
            """, ring: true);

        yield return Case("docker's and podman's profile", "/usr/share/containers/seccomp.json", "$PYTHON profile.py /usr/share/containers/seccomp.json -- $TALK", ring: true);
        foreach (string action in new[] { "EPERM", "ENOSYS", "KILL" })
            foreach (string calls in Unusual) yield return Case($"{action} for {calls}", "", $"$PYTHON filter.py {action} {calls} -- $TALK", ring: Harmless.Contains(calls) && action != "KILL");
        yield return Case("a filter of its own", "", "$PYTHON sandbox.py", ring: true);

        yield return Case("an io_uring before the first connection", "", "$TALK 50 uring", ring: true);
        yield return Case("liburing in a library that is opened", "", "$HERE/ring-host $HERE/ring-guest.so", ring: true);
        yield return Case("liburing that is opened", "", "$HERE/ring-host itself", ring: true);
        yield return Case("an io_uring with a kernel thread", "", "$TALK 50 polled", ring: false);
        yield return Case("a library with RTLD_DEEPBIND", "", "$PYTHON deepbind.py $HERE/stranger.so; $PYTHON deepbind.py $HERE/stranger-now.so; export LD_LIBRARY_PATH=$HERE; $PYTHON deepbind.py stranger.so", ring: true);
        yield return Case("members of libc that are looked up", "", "$PYTHON lookup.py $HERE/stranger.so", ring: true);
        yield return Case("a wrapper that looks up libc's", "", "LD_PRELOAD=$HERE/wrapper.so:$LD_PRELOAD $TALK; LD_PRELOAD=$LD_PRELOAD:$HERE/wrapper.so $TALK", ring: true);
        yield return Case("a wrapper that looks up the next", "", "export WRAPPER_NEXT=1; LD_PRELOAD=$HERE/wrapper.so:$LD_PRELOAD $TALK; LD_PRELOAD=$LD_PRELOAD:$HERE/wrapper.so $TALK", ring: true);
        yield return Case("a library in a namespace of its own, first", "", "$HERE/namespace $HERE/stranger.so before", ring: false);
        yield return Case("a library in a namespace of its own", "", "$HERE/namespace $HERE/stranger.so", ring: true);
        yield return Case("libc's streams on a connection", "", "for seed in $(seq 1 40); do $HERE/streams $seed; done", ring: true);
        yield return Case("libc's streams on a connection, by default settings", "", "unset FREEFLOW_OFFER_AFTER FREEFLOW_JOIN; for seed in $(seq 41 80); do $HERE/streams $seed; done", ring: true);
        // With the settings that programs have, and from the first byte on.
        yield return Case("readiness by instructions of its own", "", "unset FREEFLOW_OFFER_AFTER FREEFLOW_JOIN; for seed in $(seq 1 30); do $HERE/assembly $seed; done", ring: true);
        yield return Case("readiness by instructions of its own, in the ring at once", "", "for seed in $(seq 31 50); do $HERE/assembly $seed; done", ring: true);
        yield return Case("a library in its opener's own folder", "", "$HERE/apart/finder", ring: false);
        yield return Case("jemalloc", "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2", "LD_PRELOAD=libjemalloc.so.2:$LD_PRELOAD $TALK; LD_PRELOAD=$LD_PRELOAD:libjemalloc.so.2 $TALK", ring: true);
        yield return Case("tcmalloc", "/usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4", "LD_PRELOAD=libtcmalloc_minimal.so.4:$LD_PRELOAD $TALK; LD_PRELOAD=$LD_PRELOAD:libtcmalloc_minimal.so.4 $TALK", ring: true);
        yield return Case("AddressSanitizer", "", "$HERE/talk-address; ASAN_OPTIONS=detect_leaks=1 $HERE/talk-address", ring: true);
        yield return Case("AddressSanitizer in a program with options of its own", "",
            "RUN=${LD_PRELOAD:+$FREEFLOW run --}; unset LD_PRELOAD; $RUN $HERE/talk-address-options; ASAN_OPTIONS=detect_leaks=1 $RUN $HERE/talk-address-options", ring: true);
        yield return Case("LeakSanitizer", "", "$HERE/talk-leak", ring: true);
        yield return Case("UndefinedBehaviorSanitizer", "", "$HERE/talk-undefined", ring: true);
        yield return Case("ThreadSanitizer", "", "$HERE/talk-thread", ring: true);
    }

    private static readonly string[] Harmless = ["eventfd2", "kcmp", "process_vm_readv,process_vm_writev,pidfd_open,pidfd_getfd", "epoll_pwait2", "preadv2", "close_range"];
    private static readonly string[] Unusual =
        [.. Harmless, "clone3", "memfd_create", "membarrier", "madvise", "sendmsg", "recvmsg", "ppoll", "getsockopt", "ftruncate", "sigaltstack", "gettid,tgkill", "sched_getaffinity,sched_setaffinity"];

    [TestCaseSource(nameof(Cases))]
    public void PrintsAndReturnsTheSame(string[] needs, string script, bool ring)
    {
        Tools.Require(needs);
        string plain = Run(script, preloaded: false);
        TestContext.Out.WriteLine(plain);
        if (plain.StartsWith("exit code 77", StringComparison.Ordinal)) Assert.Ignore(plain);
        Assert.That(plain, Does.StartWith("exit code 0"));
        long before = _stage.Router!.Status().RingBytesTotal;
        // A program this short may have ended before the router, on a busy machine, has come to it.
        for (int attempt = 1; ; attempt++)
        {
            Assert.That(Run(script, preloaded: true), Is.EqualTo(plain));
            if (!ring || _stage.Router!.Status().RingBytesTotal > before) return;
            Assert.That(attempt, Is.LessThan(5), "no byte went through the ring");
        }
    }

    private string Run(string script, bool preloaded)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_stage.Folder, TestContext.CurrentContext.Test.ID)).FullName;
        string python = $"env -C {Tools.Program("environments")} {Tools.Python} -B";
        CommandLine command = new CommandLine("bash", "-c", script).In(folder).With("LC_ALL", "C").With("TALK", $"{_programs}/talk").With("HERE", _programs).With("FREEFLOW", Artifacts.Cli).With("PYTHON", python).With("CGROUP", Path.Combine(Tools.Program("environments"), "cgroup.sh"));
        CompletedProcess run = _stage.Server.Run(preloaded ? _stage.AsServer(command) : command);
        Directory.Delete(folder, recursive: true);
        return $"exit code {run.ExitCode}\n{run.Output}\nstandard error:\n{run.Error}";
    }

    private void Compile(string program, string source, params string[] options) =>
        _ = Place.Host.Run(new CommandLine("gcc", ["-std=gnu11", "-O1", "-Wall", "-o", Path.Combine(_programs, program), Path.Combine(Tools.Program("environments"), source), .. options])).Succeeded($"gcc {source}");
}
