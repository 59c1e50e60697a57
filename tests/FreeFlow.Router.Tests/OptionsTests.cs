using System;
using FreeFlow.Cli;
using NUnit.Framework;

namespace FreeFlow.Router.Tests;

public class OptionsTests
{
    [Test]
    public void RouterOptionsAreRead()
    {
        RouterOptions options = RouterOptions.Parse(["--socket", "/a/b", "--ring-bytes=8192", "--max-sessions-per-user", "3", "--max-rings-per-user", "9", "--verbose"]);
        Assert.That((options.SocketPath, options.RingBytes, options.MaximumSessionsPerUser, options.MaximumRingsPerUser, options.Verbose), Is.EqualTo(("/a/b", 8192UL, 3UL, 9UL, true)));
    }

    [TestCase("1000", "--ring-bytes", "1000")]
    [TestCase("4096", "--ring-bytes", "2048")]
    [TestCase("67108864", "--ring-bytes", "134217728")]
    [TestCase("-1", "--max-sessions-per-user", "-1")]
    [TestCase("needs a value", "--socket")]
    [TestCase("--bogus", "--bogus")]
    public void WrongRouterOptionsNameTheValueInOneLine(string expected, params string[] arguments)
    {
        RouterException exception = Assert.Throws<RouterException>(() => RouterOptions.Parse(arguments))!;
        Assert.That(exception.Message, Does.Contain(expected).And.Not.Contain("\n"));
    }

    [Test]
    public void RunEndsItsOptionsAtTheCommand()
    {
        RunOptions options = RunOptions.Parse(["--router", "/r", "--", "ls", "--", "--router", "x", "@y"]);
        Assert.That((options.Router, string.Join('|', options.Command)), Is.EqualTo(("/r", "ls|--|--router|x|@y")));
        Assert.That(RunOptions.Parse(["ls", "-l"]).Command, Is.EqualTo(new[] { "ls", "-l" }));
        Assert.That(RunOptions.Parse(["--", "-odd"]).Command, Is.EqualTo(new[] { "-odd" }));
    }

    [TestCase]
    [TestCase("--")]
    [TestCase("--router")]
    [TestCase("--bogus", "ls")]
    public void WrongRunOptionsAreRefused(params string[] arguments) =>
        Assert.That(Assert.Throws<CommandException>(() => RunOptions.Parse(arguments))!.ExitCode, Is.EqualTo(2));

    [Test]
    public void StatusWatchTakesSecondsOrNone()
    {
        Assert.That(StatusOptions.Parse(["--watch"]).Interval, Is.EqualTo(TimeSpan.FromSeconds(1)));
        Assert.That(StatusOptions.Parse(["--watch", "--json"]), Has.Property("Json").True.And.Property("Interval").EqualTo(TimeSpan.FromSeconds(1)));
        Assert.That(StatusOptions.Parse(["--watch", "2.5"]).Interval, Is.EqualTo(TimeSpan.FromSeconds(2.5)));
        Assert.That(() => StatusOptions.Parse(["--watch", "0"]), Throws.TypeOf<CommandException>());
    }
}
