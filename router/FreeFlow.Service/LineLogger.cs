using System;
using System.Globalization;
using System.Text;
using System.Threading;
using FreeFlow.Native;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FreeFlow.Service;

/// <summary>
/// A daemon's log: one line an event on standard error, with systemd's priority in front where the journal reads it, else the program's name.
/// What strangers can provoke is limited to so many lines a second. Unlike the console's logger it has no thread and no queue, and never waits.
/// </summary>
/// <param name="program">The name in front.</param>
/// <param name="verbose">Whether details are wanted.</param>
public class LineLogger(string program, bool verbose) : ILogger, ILoggerProvider
{
    private const int LinesPerSecond = 50, StandardError = 2;
    private readonly Lock _lock = new();
    private readonly bool _journal = IsJournal(Environment.GetEnvironmentVariable("JOURNAL_STREAM"));
    private long _second;
    private int _lines;

    /// <summary>True if details are wanted, too: <see cref="LogLevel.Debug"/>.</summary>
    public bool Verbose { get; set; } = verbose;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => logLevel >= (Verbose ? LogLevel.Debug : LogLevel.Information) && logLevel != LogLevel.None;

    /// <summary>Writes a line; of those that are no details, within the limit. Any thread.</summary>
    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel)) return;
        string text = formatter(state, exception);
        if (logLevel <= LogLevel.Debug) Write(logLevel, text);
        else WriteWithinLimit(logLevel, text);
    }

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    /// <summary>The same for all of the daemon's own; the host's words would only repeat what is told at the end.</summary>
    public ILogger CreateLogger(string categoryName) =>
        categoryName.StartsWith("Microsoft.", StringComparison.Ordinal) ? NullLogger.Instance : this;

    /// <inheritdoc/>
    public void Dispose() => GC.SuppressFinalize(this);

    /// <summary>The line without its end, as it is written.</summary>
    internal static string Format(LogLevel level, string text, string program, bool journal)
    {
        // Names, certificates and other hosts' words stand in these lines, too.
        string printable = PrintableText.Of(text);
        return journal ? string.Create(CultureInfo.InvariantCulture, $"<{Priority(level)}>{printable}") : $"{program}: {printable}";
    }

    // systemd tells device and inode of the stream, which a child may have left for another.
    internal static unsafe bool IsJournal(string? stream) =>
        stream is { Length: > 0 } && Libc.fstat(StandardError, out FileStatus status) == 0
        && stream == string.Create(CultureInfo.InvariantCulture, $"{status.Device}:{status.Inode}");

    // sd-daemon(3).
    private static int Priority(LogLevel level) => level switch
    {
        LogLevel.Critical => 2,
        LogLevel.Error => 3,
        LogLevel.Warning => 4,
        LogLevel.Information => 6,
        _ => 7,
    };

    private void WriteWithinLimit(LogLevel level, string text)
    {
        lock (_lock)
        {
            long now = Environment.TickCount64 / 1000;
            if (now != _second)
            {
                if (_lines > LinesPerSecond) Write(LogLevel.Warning, $"{_lines - LinesPerSecond} more lines left out");
                _second = now;
                _lines = 0;
            }
            if (++_lines <= LinesPerSecond) Write(level, text);
        }
    }

    /// <summary>
    /// Never waits and never fails: with a full pipe that nobody reads, or a full disk, the line is lost, and the daemon goes on. A pipe that
    /// poll(2) calls writable takes a line at once (pipe(7), PIPE_BUF).
    /// </summary>
    private unsafe void Write(LogLevel level, string text)
    {
        const int most = 4096;
        byte[] line = Encoding.UTF8.GetBytes(Format(level, text, program, _journal) + "\n");
        PollDescriptor wait = new() { Descriptor = StandardError, Events = PollDescriptor.POLLOUT };
        if (Libc.poll(&wait, 1, 0) <= 0 || (wait.Returned & PollDescriptor.POLLOUT) == 0) return;
        fixed (byte* bytes = line) _ = Libc.write(StandardError, bytes, (nuint)Math.Min(line.Length, most));
    }
}
