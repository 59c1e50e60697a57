using System;
using System.Linq;
using FreeFlow.Cli;
using FreeFlow.Router.Cluster;
using NUnit.Framework;

namespace FreeFlow.Router.Tests;

public class OptionsTests
{
    [Test]
    public void RouterOptionsAreRead()
    {
        RouterOptions options = RouterOptions.Parse(["--socket", "/a/b", "--ring-bytes=8192", "--fabric-ring-bytes", "16384", "--max-sessions-per-user", "3", "--max-rings-per-user", "9", "--nice", "-7", "--verbose"]);
        Assert.That((options.SocketPath, options.RingBytes, options.FabricRingBytes, options.MaximumSessionsPerUser, options.MaximumRingsPerUser, options.Nice, options.Verbose), Is.EqualTo(("/a/b", 8192UL, 16384UL, 3UL, 9UL, -7, true)));
    }

    [TestCase("1000", "--ring-bytes", "1000")]
    [TestCase("4096", "--ring-bytes", "2048")]
    [TestCase("--fabric-ring-bytes 1000", "--fabric-ring-bytes", "1000")]
    [TestCase("67108864", "--ring-bytes", "134217728")]
    [TestCase("-1", "--max-sessions-per-user", "-1")]
    [TestCase("--nice 20", "--nice", "20")]
    [TestCase("--nice -21", "--nice=-21")]
    [TestCase("--nice low", "--nice", "low")]
    [TestCase("needs a value", "--socket")]
    [TestCase("--bogus", "--bogus")]
    public void WrongRouterOptionsNameTheValueInOneLine(string expected, params string[] arguments)
    {
        RouterException exception = Assert.Throws<RouterException>(() => RouterOptions.Parse(arguments))!;
        Assert.That(exception.Message, Does.Contain(expected).And.Not.Contain("\n"));
    }

    [Test]
    public void ClusterOptionsAreRead()
    {
        ClusterOptions Read(string locations, params (string, string)[] more) =>
            ClusterOptions.Read(more.Append(("--locations", locations)).ToDictionary(pair => pair.Item1, pair => pair.Item2), name => name == "ETCD_ENDPOINTS" ? "env:1" : null);
        Assert.That(Read("none"), Has.Property("Source").EqualTo(LocationSource.None).And.Property("FabricPort").EqualTo(4799));
        Assert.That(Read("file:/a:b"), Has.Property("Source").EqualTo(LocationSource.File).And.Property("Path").EqualTo("/a:b"));
        Assert.That(Read("etcd").Etcd.Endpoints, Is.EqualTo(new[] { new Uri("http://env:1/") }));
        ClusterOptions etcd = Read("etcd-used:https://a:2379,b:2379", ("--etcd-cacert", "/ca"), ("--etcd-user", "me"), ("--host", "192.168.0.1"), ("--fabric-port", "5"));
        Assert.That(etcd.Etcd.Endpoints, Is.EqualTo(new[] { new Uri("https://a:2379/"), new Uri("https://b:2379/") }));
        Assert.That((etcd.Source, etcd.Etcd.AuthorityFile, etcd.Etcd.User, etcd.Host.ToString(), etcd.FabricPort), Is.EqualTo((LocationSource.EtcdUsed, "/ca", "me", "192.168.0.1", 5)));
    }

    [TestCase("--locations etc", "--locations", "etc")]
    [TestCase("--locations file:", "--locations", "file:")]
    [TestCase("'ftp://a' is not an etcd endpoint", "--locations", "etcd:ftp://a")]
    [TestCase("--etcd-key needs --etcd-cert", "--locations", "etcd", "--etcd-key", "k")]
    [TestCase("/nowhere", "--locations", "etcd", "--etcd-password-file", "/nowhere")]
    [TestCase("--host 127.0.0.1", "--host", "127.0.0.1")]
    [TestCase("--fabric-port 0", "--fabric-port", "0")]
    public void WrongClusterOptionsNameTheValueInOneLine(string expected, params string[] arguments) => WrongRouterOptionsNameTheValueInOneLine(expected, arguments);

    [Test]
    public void RunEndsItsOptionsAtTheCommand()
    {
        RunOptions options = RunOptions.Parse(["--router", "/r", "--quiet", "--", "ls", "--", "--router", "x", "@y"]);
        Assert.That((options.Router, options.Quiet, string.Join('|', options.Command)), Is.EqualTo(("/r", true, "ls|--|--router|x|@y")));
        Assert.That(RunOptions.Parse(["ls", "--quiet"]).Quiet, Is.False);
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
