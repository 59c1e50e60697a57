using System;
using System.Linq;
using FreeFlow.Arguments;
using FreeFlow.Cli;
using FreeFlow.Cli.Lab;
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

    [TestCase("127.0.0.1:9464", "127.0.0.1:9464")]
    [TestCase("[::1]:9464", "[::1]:9464")]
    [TestCase("unix:/run/x.sock", "unix:/run/x.sock")]
    public void APlaceForMetricsIsRead(string text, string expected) =>
        Assert.That(RouterOptions.Parse(["--metrics", text]).Metrics!.ToString(), Is.EqualTo(expected));

    [TestCase("--metrics 9464: give ADDRESS:PORT", "--metrics", "9464")]
    [TestCase("--metrics ::1:9464", "--metrics", "::1:9464")]
    [TestCase("--metrics 127.0.0.1:0", "--metrics", "127.0.0.1:0")]
    [TestCase("--metrics localhost:9464", "--metrics", "localhost:9464")]
    [TestCase("--metrics unix:x: give the whole path", "--metrics", "unix:x")]
    public void WrongPlacesForMetricsNameTheValueInOneLine(string expected, params string[] arguments) => WrongRouterOptionsNameTheValueInOneLine(expected, arguments);

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
        RunOptions options = Run(["--router", "/r", "--quiet", "--", "ls", "--", "--router", "x", "@y"]);
        Assert.That((options.Router, options.Quiet, string.Join('|', options.Command)), Is.EqualTo(("/r", true, "ls|--|--router|x|@y")));
        Assert.That(Run(["ls", "--quiet"]).Quiet, Is.False);
        Assert.That(Run(["ls", "-l"]).Command, Is.EqualTo(new[] { "ls", "-l" }));
        Assert.That(Run(["--", "-odd"]).Command, Is.EqualTo(new[] { "-odd" }));
    }

    [TestCase]
    [TestCase("--")]
    [TestCase("--router")]
    [TestCase("--bogus", "ls")]
    public void WrongRunOptionsAreRefused(params string[] arguments) =>
        Assert.That(Assert.Throws<UsageException>(() => Run(arguments))!.Message, Does.StartWith("run: ").And.Not.Contain("\n"));

    [Test]
    public void StatusWatchTakesSecondsOrNone()
    {
        Assert.That(Status(["--watch"]).Interval, Is.EqualTo(TimeSpan.FromSeconds(1)));
        Assert.That(Status(["--watch", "--json"]), Has.Property("Json").True.And.Property("Interval").EqualTo(TimeSpan.FromSeconds(1)));
        Assert.That(Status(["--watch", "2.5"]).Interval, Is.EqualTo(TimeSpan.FromSeconds(2.5)));
        Assert.That(() => Status(["--watch", "0"]), Throws.TypeOf<UsageException>().With.Message.EqualTo("status: --watch 0: give seconds from 0.1 to 86400."));
    }

    [TestCase("unknown command 'statsu'; did you mean status? freeflow --help lists them.", "statsu")]
    [TestCase("run: unknown option --qiet; did you mean --quiet? put -- before the command, if it is no option of ours.", "run", "--qiet", "ls")]
    [TestCase("run: --router needs a value after it.", "run", "--router")]
    [TestCase("run: --router : give the path of the router's socket.", "run", "--router=", "ls")]
    [TestCase("run: give COMMAND.", "run", "--")]
    [TestCase("status: unknown option --jsn; did you mean --json? freeflow status --help lists them.", "status", "--jsn")]
    [TestCase("status: 'now' is one word too many; freeflow status --help shows what there is.", "status", "now")]
    [TestCase("lab: say what: up, down, status, exec, cut, mend, slow, kill, start.", "lab")]
    [TestCase("lab: unknown command 'bild'; freeflow lab --help lists them.", "lab", "bild")]
    [TestCase("lab exec one/a: give PLACE COMMAND.", "lab", "exec", "one/a")]
    [TestCase("lab down: 'x' is one word too many; freeflow lab down --help shows what there is.", "lab", "down", "x")]
    public void AMistakeIsOneLineWithItsMend(string expected, params string[] arguments) =>
        Assert.That(() => CommandLineReader.Read(new FreeFlowSyntax(), arguments), Throws.TypeOf<UsageException>().With.Message.EqualTo(expected));

    [TestCase("exec|/l|True|one/a|ls|-l|--plain", "--lab", "/l", "exec", "--plain", "one/a", "ls", "-l", "--plain")]
    [TestCase("exec|/l|True|one/a|-odd", "--plain", "--lab=/l", "exec", "one/a", "-odd")]
    [TestCase("kill|/l|False|one|router", "--lab", "/l", "kill", "one", "router")]
    [TestCase("kill|/l|False|etcd", "kill", "--lab", "/l", "etcd")]
    public void LabEndsItsOptionsAtThePlace(string expected, params string[] arguments)
    {
        LabSyntax syntax = new();
        LabOptions options = syntax.Read(CommandLineReader.Read(syntax, arguments));
        Assert.That(string.Join('|', [options.Action, options.Folder, options.Plain, .. options.Words]), Is.EqualTo(expected));
    }

    private static RunOptions Run(params string[] words)
    {
        RunSyntax syntax = new();
        return syntax.Read(CommandLineReader.Read(syntax, words));
    }

    private static StatusOptions Status(params string[] words)
    {
        StatusSyntax syntax = new();
        return syntax.Read(CommandLineReader.Read(syntax, words));
    }
}
