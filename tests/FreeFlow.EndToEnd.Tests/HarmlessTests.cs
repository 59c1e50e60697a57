using System.Collections.Generic;
using System.IO;
using System.Linq;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>Programs that FreeFlow has no business with: preloaded, they print and return exactly what they do without.</summary>
[Parallelizable(ParallelScope.Children)]
public sealed class HarmlessTests
{
    private Stage _stage = null!;

    [OneTimeSetUp]
    public void SetUp() => _stage = new Stage(Mixture.Both);

    [OneTimeTearDown]
    public void TearDown() => _stage?.Dispose();

    private static TestCaseData Case(string name, string needs, string script) => new TestCaseData(needs.Split(' '), script).SetArgDisplayNames(name);

    // Scripts run in a fresh folder each; what they print must not depend on time or place.
    private static IEnumerable<TestCaseData> Cases()
    {
        yield return Case("bash", "bash", "for i in 1 2 3; do echo $i; (echo sub; exit 2) | cat; done; echo wrong >&2; coproc cat; echo $BASHPID > /dev/null; exec 5<>/dev/null; exit 3");
        yield return Case("ls", "ls", "ls -la --time-style=+ /etc /nonexistent | sort");
        yield return Case("find", "find", "find /usr/lib/x86_64-linux-gnu -name 'libc*' | sort; find /nonexistent");
        yield return Case("pipes and redirections", "sort", "seq 20000 | sort -R --random-source=/dev/zero | sort -n | tee copy | md5sum; exec 7< copy; read -u 7 line; echo $line; wc -l <&7");
        yield return Case("git", "git", """
            export GIT_AUTHOR_DATE='2020-01-01 00:00 +0000' GIT_COMMITTER_DATE='2020-01-01 00:00 +0000' HOME=$PWD
            git init -q -b main . && git config user.email a@b && git config user.name n
            seq 5000 > file && git add file && git commit -qm first && git log --stat && git clone -q --no-local . copy && git -C copy fsck && git -C copy rev-parse HEAD; git nonsense
            """);
        yield return Case("gcc", "gcc", "echo 'int main(void){return 5;}' > a.c && gcc -O2 -Wall -o a a.c; ./a; echo $?; echo 'int main(void){return x;}' > b.c; gcc -fno-diagnostics-color -o b b.c");
        yield return Case("ping", "ping", "ping -c 1 -W 2 127.0.0.1 | head -1");
        yield return Case("sudo", "sudo", "sudo -n true; sudo -n sh -c 'echo $LD_PRELOAD; id -u'");
        yield return Case("passwd, setuid, as another user", "passwd setpriv", "setpriv --reuid=nobody --regid=nogroup --clear-groups passwd -S | cut -d' ' -f1,2; setpriv --reuid=nobody --regid=nogroup --clear-groups passwd -S root");
        yield return Case("su", "su", "su -s /bin/sh nobody -c 'id; exit 4'");
        yield return Case("busybox", "busybox", "busybox sh -c 'echo hello | busybox sha256sum; exit 6'");
        yield return Case("static", "gcc", $"gcc -static -o p {Tools.Program("static.c")} && ./p");
        yield return Case("musl", "musl-gcc", $"env -u LD_PRELOAD musl-gcc -o p {Tools.Program("static.c")} && ./p");
        yield return Case("musl, static", "musl-gcc", $"env -u LD_PRELOAD musl-gcc -static -o p {Tools.Program("static.c")} && ./p");
        yield return Case("go", "go", $"cp {Tools.Program("tcp.go")} . && env -u LD_PRELOAD HOME=/root go build -o p tcp.go && ./p");
        yield return Case("python without sockets", Tools.Python, $"{Tools.Python} -c 'import subprocess, multiprocessing, sys; print(subprocess.run([\"true\"]).returncode, multiprocessing.Pool(2).map(abs, [-1, 2])); sys.exit(9)'");
        yield return Case("UDP and Unix sockets", Tools.Python, $"{Tools.Python} -c 'import socket as s; a, b = s.socketpair(); a.send(b\"x\"); u = s.socket(2, 2); u.bind((\"127.0.0.1\", 0)); u.sendto(b\"y\", u.getsockname()); print(b.recv(9), u.recv(9))'");
        yield return Case("many processes", "xargs", "seq 200 | xargs -P 4 -n 1 /bin/echo | sort -n | md5sum");
    }

    [TestCaseSource(nameof(Cases))]
    public void PrintsAndReturnsTheSame(string[] needs, string script)
    {
        Tools.Require([.. needs, "bash"]);
        string plain = Run(script, preloaded: false);
        TestContext.Out.WriteLine(plain);
        Assert.That(Run(script, preloaded: true), Is.EqualTo(plain));
    }

    private string Run(string script, bool preloaded)
    {
        // The same name for both runs: compilers and git name it in what they write.
        string folder = Directory.CreateDirectory(Path.Combine(_stage.Folder, TestContext.CurrentContext.Test.ID)).FullName;
        CommandLine command = new CommandLine("bash", "-c", script).In(folder).With("LC_ALL", "C");
        CompletedProcess run = _stage.Server.Run(preloaded ? _stage.AsServer(command) : command);
        Directory.Delete(folder, recursive: true);
        return $"exit code {run.ExitCode}\n{run.Output}\nstandard error:\n{run.Error}";
    }
}
