using System;
using System.Diagnostics;
using System.IO;
using FreeFlow.Native;
using FreeFlow.Router.Sessions;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Processes;

/// <summary>Who may change the folder of the router's socket can answer in its place: the router does not listen there.</summary>
public class SocketFolderTests
{
    private const uint Root = 0, User = 1000, Stranger = 1001;

    /// <summary>Every mode and owner, against the rule said in other words: nobody but root and the router's user may rename or remove what they have not made.</summary>
    [Test]
    public void EveryModeAndOwner([Values(Root, User)] uint router, [Values(Root, User, Stranger, 65534u)] uint owner, [Values(Root, User, Stranger)] uint group, [Values] bool holdsTheSocket)
    {
        for (uint mode = 0; mode <= 0xfff; mode++)
        {
            FileStatus status = new() { Mode = 0x4000 | mode, UserId = owner, GroupId = group };
            string? problem = SocketFolder.ProblemOf(status, holdsTheSocket, router, router);
            bool sticky = (mode & 0x200) != 0, othersWrite = (mode & 2) != 0, strangersGroupWrites = (mode & 16) != 0 && group != Root && group != router;
            bool ownerIsTrusted = owner == Root || owner == router || (owner == 65534 && !holdsTheSocket);
            Assert.That(problem is null, Is.EqualTo(ownerIsTrusted && (sticky || (!othersWrite && !strangersGroupWrites))), $"{Convert.ToString(mode, 8)}: {problem}");
        }
    }

    [TestCase("777", "0:0", "mode is 777")]
    [TestCase("702", "0:0", "mode is 702")]
    [TestCase("775", "0:1001", "group 1001")]
    [TestCase("755", "1001:0", "belongs to user 1001")]
    [TestCase("1777", "1001:0", "belongs to user 1001")]
    [TestCase("1777", "0:0", null)]
    [TestCase("755", "0:1001", null)]
    [TestCase("775", "0:0", null)]
    [TestCase("700", "0:0", null)]
    public void ARouterListensOnlyWhereNobodyElseCan(string mode, string owner, string? problem)
    {
        using Folders folders = new();
        folders.Change(folders.Inner, mode, owner);
        AssertStarts(Path.Combine(folders.Inner, "router.sock"), folders.Inner, problem);
    }

    [TestCase("777", "0:0", "mode is 777")]
    [TestCase("755", "1001:0", "belongs to user 1001")]
    [TestCase("1777", "0:0", null)]
    public void TheFoldersAboveCountAsWell(string mode, string owner, string? problem)
    {
        using Folders folders = new();
        folders.Change(folders.Outer, mode, owner);
        AssertStarts(Path.Combine(folders.Inner, "router.sock"), folders.Outer, problem);
    }

    [Test]
    public void SoDoThoseAboveTheTargetOfALink([Values] bool linkIsInThem)
    {
        using Folders folders = new();
        string safe = Path.Combine(folders.Root, "safe");
        Directory.CreateDirectory(safe);
        string link = Path.Combine(linkIsInThem ? folders.Outer : safe, "link");
        Directory.CreateSymbolicLink(link, linkIsInThem ? safe : folders.Inner);
        folders.Change(folders.Outer, "777", "0:0");
        AssertStarts(Path.Combine(link, "router.sock"), folders.Outer, "mode is 777");
    }

    private static void AssertStarts(string socket, string folder, string? problem)
    {
        using TestProcess router = TestProcess.OfThisBuild("freeflow-router.dll", "--socket", socket);
        if (problem is null)
        {
            Assert.That(router.WaitFor("listens on"), router.Output);
            Assert.That(router.Terminate(), Is.Zero);
            return;
        }
        Assert.That(router.WaitForExit(), Is.EqualTo(1), router.Output);
        Assert.That(router.Output, Does.StartWith($"freeflow-router: --socket {socket}: ").And.Contain($" {folder}: ").And.Contain(problem).And.Contain("choose another folder").And.Not.Contain("\n"));
        Assert.That(File.Exists(socket), Is.False);
    }

    /// <summary>A folder in a folder, in one that only root can change.</summary>
    private sealed class Folders : IDisposable
    {
        public string Root { get; } = Directory.CreateTempSubdirectory("freeflow-folders-").FullName;

        public string Outer => Path.Combine(Root, "outer");

        public string Inner => Path.Combine(Outer, "inner");

        public Folders() => Directory.CreateDirectory(Inner);

        public void Change(string folder, string mode, string owner)
        {
            Run("chown", owner, folder);
            Run("chmod", mode, folder);
        }

        public void Dispose() => Directory.Delete(Root, recursive: true);

        private static void Run(string command, params string[] arguments)
        {
            using Process process = Process.Start(command, arguments);
            process.WaitForExit();
            Assert.That(process.ExitCode, Is.Zero, command);
        }
    }
}
