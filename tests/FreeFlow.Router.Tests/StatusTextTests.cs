using System;
using System.Linq;
using System.Text;
using FreeFlow.Cli;
using FreeFlow.Cli.Status;
using FreeFlow.Contract;
using FreeFlow.Native;
using FreeFlow.Router.Observe;
using NUnit.Framework;

namespace FreeFlow.Router.Tests;

public class StatusTextTests
{
    [TestCase(0, "0")]
    [TestCase(999, "999")]
    [TestCase(1536, "1.5K")]
    [TestCase(24 << 20, "24M")]
    [TestCase(long.MaxValue, "8.0E")]
    public void BytesHaveThreeDigits(long bytes, string expected) => Assert.That(Units.Bytes(bytes), Is.EqualTo(expected));

    [TestCase(-1, "0s")]
    [TestCase(59.9, "59s")]
    [TestCase(125, "2m05s")]
    [TestCase(4020, "1h07m")]
    [TestCase(273600, "3d04h")]
    public void DurationsHaveTwoUnits(double seconds, string expected) => Assert.That(Units.Duration(seconds), Is.EqualTo(expected));

    [Test]
    public void EveryStateAndReasonHasItsOwnWords()
    {
        string[] reasons = Enum.GetValues<Reason>().Select(Words.Of).ToArray();
        Assert.That(reasons, Is.Unique);
        Assert.That(reasons, Has.None.Contains("unknown"));
        Assert.That(Enum.GetValues<ConnectionState>().Select(Words.Of), Is.Unique.And.None.Contains("unknown"));
        Assert.That(Words.Of((Reason)12345), Is.EqualTo("unknown reason 12345"));
    }

    [Test]
    public void NamesCannotDriveATerminal() =>
        Assert.That(PrintableText.Of("ab\u001b[2J\u009b\u202e\nü"u8), Is.EqualTo("ab?[2J???ü"));

    /// <summary>Unicode's Default_Ignorable_Code_Point and Bidi_Control (DerivedCoreProperties, PropList), as far as one UTF-16 unit goes, and all controls, separators and halves of pairs.</summary>
    [Test]
    public void NoCharacterThatIsInvisibleOrTurnsTheLineAroundIsShown()
    {
        (int First, int Last)[] hidden =
        [
            (0x00, 0x1f), (0x7f, 0x9f), (0xad, 0xad), (0x34f, 0x34f), (0x600, 0x605), (0x61c, 0x61c), (0x6dd, 0x6dd), (0x115f, 0x1160), (0x17b4, 0x17b5), (0x180b, 0x180f), (0x2000, 0x200f),
            (0x2028, 0x202f), (0x205f, 0x206f), (0x2800, 0x2800), (0x3000, 0x3000), (0x3164, 0x3164), (0xd800, 0xf8ff), (0xfe00, 0xfe0f), (0xfeff, 0xfeff), (0xffa0, 0xffa0), (0xfff0, 0xfffd),
        ];
        foreach ((int first, int last) in hidden)
        {
            for (int code = first; code <= last; code++) Assert.That(PrintableText.Of($"a{(char)code}b"), Is.EqualTo("a?b"), $"U+{code:X4}");
        }
        Assert.That(PrintableText.Of("a\U000e0041\U0001d173b"), Is.EqualTo("a????b"), "tags and musical controls");
        const string plain = "redis-server (1) ~ Ünïcode Ελληνικά кириллица עברית العربية 日本語 한국어 → ≥ €";
        Assert.That(PrintableText.Of(plain), Is.SameAs(plain));
    }

    /// <summary>The command shows what a router says, and a router may be a false one.</summary>
    [Test]
    public void WhatTheRouterSaysCannotDriveTheTerminalOfWhoAsks()
    {
        string text = StatusCommand.Render(Encoding.UTF8.GetBytes("""
            {"router":{"version":"1\u2066\u001b","pid":7,"uptime_s":61,"sessions":2,"joined_total":5,"strictly_refused_total":0,"refused":{"\ufeffPeer":1}},
             "processes":[{"pid":10,"program":"re\u061cdis\nfalse line","container":"\u00adc","uid":0,"connections":[{"local":"\u2067","remote":"10.0.0.2:2","fd":5,"state":"\u009b2J","reason":"\u200b","rule":"\u202e","strictly_refused":"",
               "kernel_sent":10,"kernel_received":20,"ring_sent":2048,"ring_received":30,"age_s":3.5}]}]}
            """));
        Assert.That(text.Where(character => character is not '\n' and (< ' ' or > '~')), Is.Empty);
        Assert.That(text.TrimEnd().Split('\n'), Has.Length.EqualTo(4));
    }

    [Test]
    public void TheTableShowsEachConnectionOnItsLine()
    {
        string text = StatusCommand.Render(Encoding.UTF8.GetBytes("""
            {"router":{"version":"1.2.3","pid":7,"uptime_s":61,"sessions":2,"joined_total":5,"strictly_refused_total":3,"refused":{"PeerGone":1,"RouterLimit":2}},
             "processes":[{"pid":10,"program":"redis-server","container":"","uid":0,"connections":[{"local":"10.0.0.1:1","remote":"10.0.0.2:2","fd":5,"state":"ring (shm)","reason":"","strictly_refused":"",
               "kernel_sent":10,"kernel_received":20,"ring_sent":2048,"ring_received":30,"age_s":3.5}]},
              {"pid":12,"program":"strict","container":"c","uid":0,"connections":[{"local":"10.0.0.1:1","remote":"10.0.0.2:2","fd":5,"state":"kernel","reason":"no router","strictly_refused":"NoRouter",
               "kernel_sent":10,"kernel_received":20,"ring_sent":0,"ring_received":0,"age_s":3.5}]},
              {"pid":11,"program":"idle","container":"c","uid":0,"connections":[]}]}
            """));
        string[] lines = text.TrimEnd().Split('\n');
        Assert.That(lines[0], Is.EqualTo("router 1.2.3, pid 7, up 1m01s, 2 processes, 5 connections joined so far; 1 refused: PeerGone, 2 refused: RouterLimit, 3 refused by FREEFLOW_STRICT"));
        Assert.That(lines[3], Does.Match(@"^redis-server\s+10\s+-\s+10\.0\.0\.1:1\s+10\.0\.0\.2:2\s+ring \(shm\)\s+10\s+20\s+2\.0K\s+30\s+3s$"));
        Assert.That(lines[4], Does.EndWith("no router (refused: FREEFLOW_STRICT)"));
        Assert.That(lines[5], Does.Match(@"^idle\s+11\s+c\s+-.*no connections$"));
    }

    [TestCase(0, 0, "-")]
    [TestCase(10, 0, "100%")]
    [TestCase(0, 10, "0%")]
    [TestCase(1, 1_000_000, "0.1%")]
    [TestCase(1_000_000, 1, "99.9%")]
    [TestCase(3, 1, "75.0%")]
    public void SharesNeverRoundToAllOrNothing(long ring, long kernel, string expected) => Assert.That(ProgramText.Share(ring, kernel), Is.EqualTo(expected));

    private const string Totals = """
        {"router":{"version":"1","pid":7,"uptime_s":61,"sessions":1,"joined_total":5,"strictly_refused_total":0,"refused":{}},"processes":[],
         "programs":[
          {"program":"web\u001b","container":"c","uid":0,"processes":1,"reasons":{"no router":7,"too little traffic so far":9,"switched off":1},"services":[
            {"port":80,"served":true,"open":2,"open_in_ring":2,"ended":16,"ended_in_ring":0,"kernel_sent":1000,"kernel_received":24,"ring_sent":3072,"ring_received":0},
            {"port":0,"served":false,"open":0,"open_in_ring":0,"ended":1,"ended_in_ring":1,"kernel_sent":0,"kernel_received":0,"ring_sent":9223372036854775807,"ring_received":9223372036854775807}]},
          {"program":"other","container":"","processes":0,"reasons":{},"services":[
            {"port":81,"served":false,"open":0,"open_in_ring":0,"ended":3,"ended_in_ring":3,"kernel_sent":0,"kernel_received":0,"ring_sent":5,"ring_received":5}]}]}
        """;

    [Test]
    public void TotalsAreALineForEachService()
    {
        string[] lines = StatusCommand.Render(Encoding.UTF8.GetBytes(Totals)).Split('\n');
        Assert.That(lines[3], Does.Match(@"^web\?\s+c\s+others\s+0\s+0\s+1\s+1\s+\S+\s+100%$"), "by bytes");
        Assert.That(lines[4], Does.Match(@"^web\?\s+c\s+serves 80\s+2\s+2\s+16\s+0\s+4\.0K\s+75\.0%\s+too little traffic so far \(9\), no router \(7\), …$"));
        Assert.That(lines[5], Does.Match(@"^other\s+-\s+calls 81\s+0\s+0\s+3\s+3\s+10\s+100%$"));
        string[] sorted = StatusCommand.Render(Encoding.UTF8.GetBytes(Totals), new StatusView(Program: "o", Sort: StatusOrder.Program)).Split('\n');
        Assert.That(sorted[3], Does.StartWith("other"));
        Assert.That(sorted[4], Is.Empty, "web has no o in it");
    }
}
