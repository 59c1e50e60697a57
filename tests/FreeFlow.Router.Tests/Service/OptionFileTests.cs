using System;
using System.IO;
using FreeFlow.Service;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Service;

/// <summary>Options in a file.</summary>
public sealed class OptionFileTests
{
    private string _path = "";

    [SetUp]
    public void Make() => _path = Path.GetTempFileName();

    [TearDown]
    public void Delete() => File.Delete(_path);

    [Test]
    public void LinesBecomeOptionsBeforeThoseOfTheCommandLine()
    {
        File.WriteAllText(_path, "# comment\n\n  ring-bytes   8192  \nlocations file:/a b\r\nverbose\nsocket /file\n");
        string[] options = OptionFile.Expand(["--socket", "/first", "--config", _path, "--ring-bytes=4096"]);
        Assert.That(options, Is.EqualTo(new[] { "--ring-bytes=8192", "--locations=file:/a b", "--verbose", "--socket=/file", "--socket", "/first", "--ring-bytes=4096" }));
        RouterOptions router = RouterOptions.Parse(options);
        Assert.That((router.SocketPath, router.RingBytes, router.Verbose, router.Cluster.Path), Is.EqualTo(("/first", 4096UL, true, "/a b")));
        Assert.That(OptionFile.Expand([$"--config={_path}"]), Has.Length.EqualTo(4));
        Assert.That(OptionFile.Expand(["--verbose"]), Is.EqualTo(new[] { "--verbose" }));
    }

    [TestCase("--verbose", "line 1")]
    [TestCase("ok 1\nsocket=/a", "line 2")]
    public void AMistakeNamesItsLine(string text, string message)
    {
        File.WriteAllText(_path, text);
        Assert.That(() => OptionFile.Expand(["--config", _path]), Throws.TypeOf<FormatException>().With.Message.Contains(message).And.Message.StartsWith(_path));
    }

    [Test]
    public void AMissingFileIsSaidInOneLine()
    {
        Assert.That(Assert.Throws<RouterException>(() => RouterOptions.Words(["--config", "/nowhere"]))!.Message, Does.Contain("/nowhere").And.Not.Contain("\n"));
        Assert.That(Assert.Throws<RouterException>(() => RouterOptions.Words(["--config"]))!.Message, Does.Contain("needs a file"));
    }
}
