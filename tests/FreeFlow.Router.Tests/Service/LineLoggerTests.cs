using System;
using System.Linq;
using System.Reflection;
using FreeFlow.Native;
using FreeFlow.Router.Logging;
using FreeFlow.Service;
using Microsoft.Extensions.Logging;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Service;

/// <summary>What a line of a daemon's log looks like, and which are wanted.</summary>
public sealed class LineLoggerTests
{
    [TestCase(LogLevel.Critical, "<2>a?b")]
    [TestCase(LogLevel.Error, "<3>a?b")]
    [TestCase(LogLevel.Warning, "<4>a?b")]
    [TestCase(LogLevel.Information, "<6>a?b")]
    [TestCase(LogLevel.Debug, "<7>a?b")]
    public void TheJournalIsToldThePriority(LogLevel level, string expected) =>
        Assert.That(LineLogger.Format(level, "a\u001bb", "freeflow-router", journal: true), Is.EqualTo(expected.Replace("?", PrintableText.Of("\u001b"))));

    [Test]
    public void OthersAreToldTheProgram() =>
        Assert.That(LineLogger.Format(LogLevel.Error, "text", "freeflow-router", journal: false), Is.EqualTo("freeflow-router: text"));

    [TestCase(null)]
    [TestCase("")]
    [TestCase("1:1")]
    [TestCase("none")]
    public void AStreamOfAnotherProcessIsNotTheJournal(string? stream) => Assert.That(LineLogger.IsJournal(stream), Is.False);

    [Test]
    public void StandardErrorIsTheJournalIfItIsSaidToBe()
    {
        Assert.That(Libc.fstat(2, out FileStatus status), Is.Zero);
        Assert.That(LineLogger.IsJournal($"{status.Device}:{status.Inode}"), Is.True);
    }

    [TestCase(true)]
    [TestCase(false)]
    public void DetailsAreWantedWithVerboseOnly(bool verbose)
    {
        Log log = new(verbose);
        Assert.That((log.IsEnabled(LogLevel.Debug), log.IsEnabled(LogLevel.Information), log.IsEnabled(LogLevel.None)), Is.EqualTo((verbose, true, false)));
    }

    /// <summary>Numbers name messages in the journal of tomorrow, too: one each.</summary>
    [Test]
    public void EachMessageHasANumberOfItsOwn()
    {
        LoggerMessageAttribute[] messages = [.. typeof(Log).Assembly.GetTypes().Where(type => type.Name == "LogMessages")
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly))
            .Select(method => method.GetCustomAttribute<LoggerMessageAttribute>()).OfType<LoggerMessageAttribute>()];
        Assert.That(messages.Select(message => message.EventId), Is.Unique.And.Not.Empty);
        Assert.That(messages.Select(message => message.Message), Is.Unique);
    }
}
