using System;
using System.IO;
using System.Linq;
using FreeFlow.Native;
using FreeFlow.Router.Fabric.Journal;
using FreeFlow.Router.Logging;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Fabric;

/// <summary>The file in which a router writes down the rings of its programs, byte for byte, as the next one reads it.</summary>
public sealed class RingJournalTests
{
    private const int Bytes = 64 * 65537;
    private string _folder = null!;

    private string File => Path.Combine(_folder, "rings");

    [SetUp]
    public void SetUp() => _folder = Path.Combine(Path.GetTempPath(), $"freeflow-journal-{Environment.ProcessId}-{Random.Shared.Next()}");

    [TearDown]
    public void TearDown()
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public void ItsBytesAreTheseAndTheNextRouterReadsThem()
    {
        using (RingJournal journal = Open())
        {
            Assert.That(journal.Left, Is.Empty);
            Action? first = journal.Add(new JournaledRing { Process = 1 });
            _ = journal.Add(new JournaledRing { Process = 0x11223344, Number = -1, MemoryDevice = 1, MemoryInode = 2, Socket = new(3, 4), Doorbell = new(5, 0x0102030405060708) });
            first!();
        }
        byte[] bytes = System.IO.File.ReadAllBytes(File);
        Assert.That(bytes, Has.Length.EqualTo(Bytes));
        Assert.That(Convert.ToHexString(bytes.AsSpan(0, 64)), Is.EqualTo("46464A3101000000".PadRight(128, '0')));
        Assert.That(Convert.ToHexString(bytes.AsSpan(64, 4)), Is.EqualTo("00000000"), "free again");
        Assert.That(Convert.ToHexString(bytes.AsSpan(128, 64)), Is.EqualTo("0100000044332211FFFFFFFF00000000" + "01000000000000000200000000000000" + "03000000000000000400000000000000" + "05000000000000000807060504030201"));
        for (int router = 0; router < 2; router++)
        {
            // The first one is killed before it has looked after it.
            using RingJournal next = Open();
            Assert.That(next.Left.Select(left => (left.Ring.Process, left.Ring.Doorbell.Cookie)), Is.EqualTo(new[] { (0x11223344, 0x0102030405060708ul) }));
            if (router == 1) next.Left[0].Done();
        }
        Assert.That(System.IO.File.ReadAllBytes(File).Skip(64).Chunk(64).Any(place => place[0] != 0), Is.False, "nothing is left");
    }

    [Test]
    public void WhatEndsAfterTheRouterIsTheNextOnesToLookAfter()
    {
        Action? done;
        using (RingJournal journal = Open()) done = journal.Add(default);
        using RingJournal next = Open();
        done!();
        Assert.That(next.Left, Has.Count.EqualTo(1));
        next.Left[0].Done();
    }

    [Test]
    public void APlaceIsUsedAgain()
    {
        using RingJournal journal = Open();
        for (int i = 0; i < 70_000; i++) journal.Add(new JournaledRing { Process = i })!();
        for (int i = 0; i < 65_536; i++) Assert.That(journal.Add(default) is not null);
        Assert.That(journal.Add(default) is null, "full");
    }

    [TestCase("another router's")]
    [TestCase("others may read it")]
    [TestCase("a link")]
    public void WhatIsNotThisRoutersAloneIsNotUsed(string what)
    {
        using RingJournal? other = what == "another router's" ? Open() : null;
        Directory.CreateDirectory(_folder);
        if (what == "others may read it")
        {
            System.IO.File.WriteAllText(File, "");
            _ = Libc.chmod(File, 0x184 /* 0604 */);
        }
        if (what == "a link") System.IO.File.CreateSymbolicLink(File, "/dev/null");
        Assert.That(RingJournal.TryOpen(_folder, new Log(verbose: false)), Is.Null);
    }

    [TestCase(0, 1, Bytes)]
    [TestCase(4, 2, Bytes)]
    [TestCase(-1, 0, 100)]
    public void WhatIsNoneOrOfAnotherVersionIsLeftAside(int at, byte value, int size)
    {
        using (RingJournal journal = Open()) _ = journal.Add(new JournaledRing { Process = 1 });
        byte[] bytes = System.IO.File.ReadAllBytes(File)[..size];
        if (at >= 0) bytes[at] = value;
        System.IO.File.WriteAllBytes(File, bytes);
        using RingJournal next = Open();
        Assert.That(next.Left, Is.Empty);
    }

    private RingJournal Open() => RingJournal.TryOpen(_folder, new Log(verbose: false))!;
}
