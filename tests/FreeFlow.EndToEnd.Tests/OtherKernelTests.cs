using System;
using System.IO;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>
/// What asks for rights that a machine may lack, and must not be tried on a machine that has them: programs under a kernel of their own, User-mode Linux
/// over this machine's files. It is also another kernel than the machine's: Debian's 6.1, with one processor.
/// </summary>
public sealed class OtherKernelTests
{
    private const string Kernel = "linux.uml";

    private string _folder = "";

    [SetUp]
    public void SetUp()
    {
        Tools.Require(Kernel, Tools.Python, "ip");
        _folder = Directory.CreateTempSubdirectory("freeflow-kernel-").FullName;
    }

    [TearDown]
    public void TearDown()
    {
        if (_folder.Length > 0) Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Numbers that the shim's tables do not reach: fs.nr_open and RLIMIT_NOFILE are beyond 1,048,576 there.</summary>
    [Test]
    public void DescriptorsBeyondOneMillion()
    {
        string plain = RunThere($"{Tools.Python} -B {Tools.Program("environments/high_numbers.py")}");
        Assert.That(plain, Does.Contain("b'by a listener up there'").And.EndWith("exit code 0\n"));
        Assert.That(File.ReadAllText(Path.Combine(_folder, "ring")), Is.EqualTo(plain));
        Assert.That(RouterStatus.Parse(File.ReadAllText(Path.Combine(_folder, "status.json"))).RingBytesTotal, Is.Positive, "bytes through rings");
    }

    /// <summary>What the shell command prints without FreeFlow, and how it ends.</summary>
    private string RunThere(string command)
    {
        File.WriteAllText(Path.Combine(_folder, "program"), command + "\n");
        string bin = Path.GetDirectoryName(Artifacts.PreloadLibrary)!;
        CommandLine kernel = new CommandLine(Tools.Find(Kernel)!,
            "mem=1G", "quiet", $"uml_dir={_folder}/", "con=null", "con0=null,fd:1", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", $"init={Tools.Program("environments/other_kernel.sh")}",
            $"BIN={bin}", $"RUN={_folder}").With("TMPDIR", _folder);
        CompletedProcess run = Place.Host.Run(kernel, TimeSpan.FromSeconds(120));
        string plain = Path.Combine(_folder, "plain");
        Assert.That(File.Exists(plain), Is.True, $"the other kernel did not come so far, exit code {run.ExitCode}: {run.Output}{run.Error}");
        return File.ReadAllText(plain);
    }
}
