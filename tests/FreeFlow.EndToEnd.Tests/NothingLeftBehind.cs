using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using FreeFlow.Lab;
using NUnit.Framework;

[assembly: LevelOfParallelism(3)]

namespace FreeFlow.EndToEnd.Tests;

/// <summary>After all tests: no process, namespace, mount, shared memory or file of ours is left.</summary>
[SetUpFixture]
public sealed class NothingLeftBehind
{
    private HashSet<string> _before = [];

    [OneTimeSetUp]
    public void Remember()
    {
        if (!Environment.IsPrivilegedProcess) Assert.Fail("The end-to-end tests make network namespaces: run them as root.");
        _before = Traces().ToHashSet();
    }

    [OneTimeTearDown]
    public void Compare()
    {
        string[] left = [];
        // Namespaces go with their last process, a moment after it.
        Waiting.Until(() => (left = Traces().Where(trace => !_before.Contains(trace)).ToArray()).Length == 0, TimeSpan.FromSeconds(5));
        Assert.That(left, Is.Empty, "left behind by the tests");
    }

    private static IEnumerable<string> Traces()
    {
        int self = Environment.ProcessId;
        foreach (int pid in ProcessTree.Members(self).Where(pid => pid != self)) yield return $"process {pid} {Text($"/proc/{pid}/comm").Trim()}";
        foreach (string file in Directory.EnumerateFileSystemEntries("/dev/shm", "*freeflow*")) yield return $"shared memory {file}";
        foreach (string folder in Directory.EnumerateDirectories(Path.GetTempPath(), $"freeflow-lab.{self}.*")) yield return $"folder {folder}";
        foreach (string hierarchy in new[] { "/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd" }.Where(Directory.Exists))
            foreach (string group in Directory.EnumerateDirectories(hierarchy, $"freeflow-lab.{self}.*")) yield return $"control group {group}";
        if (Directory.Exists("/run/netns")) foreach (string name in Directory.EnumerateFiles("/run/netns")) yield return $"namespace {name}";
        foreach (string mount in Text("/proc/self/mounts").Split('\n').Where(line => line.Contains($"freeflow-lab.{self}.", StringComparison.Ordinal))) yield return $"mount {mount}";
    }

    private static string Text(string path)
    {
        try { return File.ReadAllText(path); }
        catch (IOException) { return ""; }
    }
}
