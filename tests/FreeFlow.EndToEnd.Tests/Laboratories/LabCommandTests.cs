using System;
using System.IO;
using System.Linq;
using FreeFlow.Lab;
using FreeFlow.Lab.Hosts;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Laboratories;

/// <summary><c>freeflow lab</c> as a newcomer uses it, and what it leaves behind when it or its laboratory is killed.</summary>
[TestFixture]
public sealed class LabCommandTests
{
    private string _folder = "";

    [SetUp]
    public void ChooseFolder() => _folder = Path.Combine(Path.GetTempPath(), $"freeflow-lab-command.{Environment.ProcessId}.{TestContext.CurrentContext.Test.ID}");

    [TearDown]
    public void Down()
    {
        _ = Laboratory.Down(_folder);
        Assert.That(Processes(), Is.Empty, "processes of the laboratory are left");
        Assert.That(Directory.Exists(_folder), Is.False);
    }

    [Test]
    public void UpExecKillStatusDown()
    {
        string up = Lab("up", Example).Succeeded("up").Output;
        Assert.That(up, Does.Match(@"(?m)^h2 +192\.168\.77\.2 +running +up +\d+ +\d+ "));
        Assert.That(Lab("up", Example).Error, Does.Contain("is up already"));
        Assert.That(Lab("exec", "h1/b", "hostname").Output, Is.EqualTo("h1-b\n"));
        Assert.That(Lab("exec", "h1/a", "sh", "-c", "echo $LD_PRELOAD $FREEFLOW_NAME").Output, Is.EqualTo($"{Artifacts.PreloadLibrary} h1/a\n"));
        Assert.That(Lab("exec", "--plain", "h1/a", "sh", "-c", "echo $LD_PRELOAD").Output, Is.EqualTo("\n"));
        Assert.That(Lab("exec", "h1/a", "sh", "-c", "exit 7").ExitCode, Is.EqualTo(7));
        Assert.That(Lab("exec", "h3/a", "true").Error, Does.Contain("no host 'h3'"));
        Refused(Lab("kill", "h1", "rooter"), "no daemon 'rooter', only router and hunter");
        Refused(Lab("slow", "h1", "rate=fast"), "rate 'fast': give a number above 0");
        Refused(Lab("exec", "h1"), "lab exec h1: give PLACE COMMAND.");
        _ = Lab("kill", "h2", "router").Succeeded("kill");
        Assert.That(Lab("status").Output, Does.Match(@"(?m)^h2 +192\.168\.77\.2 +running +up +- +\d+ "));
        _ = Lab("start", "h2", "router").Succeeded("start");
        _ = Lab("down").Succeeded("down");
        Assert.That(Processes(), Is.Empty);
        Assert.That(Lab("down").Output, Does.Contain("no laboratory is up"));
        Assert.That(Lab("status").Error, Does.Contain("No laboratory is up"));
    }

    [Test]
    public void NothingStaysOfAnUpThatIsKilledHalfWay()
    {
        using LabProcess up = Place.Host.Start(Command("up", Example));
        Assert.That(Waiting.Until(() => File.Exists(Path.Combine(_folder, "h1", "first")), TimeSpan.FromSeconds(15)), "the first host never came");
        up.Kill();
        Assert.That(Waiting.Until(() => Processes().Length == 0, TimeSpan.FromSeconds(10)), () => string.Join('\n', Processes()));
        _ = Lab("up", Example).Succeeded("up, over what was left");
    }

    [Test]
    public void DownClearsWhatAKilledLaboratoryLeft()
    {
        _ = Lab("up", Example).Succeeded("up");
        int root = int.Parse(File.ReadAllText(Path.Combine(_folder, "root")).Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
        System.Diagnostics.Process.GetProcessById(root).Kill();
        Assert.That(Waiting.Until(() => Processes().Length == 0, TimeSpan.FromSeconds(10)), "its processes outlive its first one");
        _ = Lab("down").Succeeded("down");
    }

    [Test]
    public void NoFolderOfSomebodyElseIsTouched()
    {
        Directory.CreateDirectory(_folder);
        string file = Path.Combine(_folder, "important");
        File.WriteAllText(file, "");
        Assert.That(Lab("up", Example).Error, Does.Contain("no laboratory's folder"));
        _ = Lab("down").Succeeded("down");
        Assert.That(File.Exists(file));
        Directory.Delete(_folder, recursive: true);
    }

    private static void Refused(CompletedProcess lab, string why)
    {
        Assert.That(lab.ExitCode, Is.Not.Zero);
        Assert.That(lab.Error, Does.Contain(why).And.Match("^[^\n]+\n$"));
    }

    private static string Example => Path.Combine(Artifacts.Root, "integration/lab/two-hosts.yaml");

    private CommandLine Command(string action, params string[] words) => new(Artifacts.Cli, ["lab", "--lab", _folder, action, .. words]);

    private CompletedProcess Lab(string action, params string[] words) => Place.Host.Run(Command(action, words));

    /// <summary>Every process that names our folder or whose namespaces hold it: the state files' owners and the daemons, whose logs lie there.</summary>
    private string[] Processes() => Directory.EnumerateDirectories("/proc").Where(folder => char.IsAsciiDigit(folder["/proc/".Length])).Where(folder =>
    {
        try
        {
            return int.Parse(folder["/proc/".Length..], System.Globalization.CultureInfo.InvariantCulture) != Environment.ProcessId
                && (File.ReadAllText(folder + "/cmdline").Contains(_folder, StringComparison.Ordinal) || File.ReadAllText(folder + "/mountinfo").Contains(_folder, StringComparison.Ordinal));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false; // it has ended
        }
    }).ToArray();
}
