using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using CliWrap;

namespace FreeFlow.Lab;

/// <summary>A running program of the lab. Disposing ends it and everything below it.</summary>
public sealed class LabProcess : IDisposable
{
    private readonly CommandTask<CommandResult> _command;
    private readonly CancellationTokenSource _disposed = new();
    private readonly TaskCompletionSource<Stream> _input = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly OutputText _output = new();
    private readonly OutputText _error = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly string _description;

    /// <summary>Starts <paramref name="arguments"/>; the first is the program.</summary>
    /// <param name="arguments">Program and arguments.</param>
    /// <param name="description">For messages.</param>
    /// <param name="nested">The program proper is the one child of the process started here (a shell that enters namespaces).</param>
    internal LabProcess(string[] arguments, string description, bool nested)
    {
        _description = description;
        // A session of its own: Ctrl-C on the terminal is for this program, which then ends the others in order.
        _command = Cli.Wrap("setsid").WithArguments(arguments).WithValidation(CommandResultValidation.None)
            .WithStandardInputPipe(PipeSource.Create(HoldInput)).WithStandardOutputPipe(Into(_output)).WithStandardErrorPipe(Into(_error))
            .ExecuteAsync(_disposed.Token);
        Root = _command.ProcessId;
        Pid = nested ? FindChild() : Root;
    }

    /// <summary>The program's pid in the lab's pid namespace.</summary>
    public int Pid { get; }

    /// <summary>Standard output so far.</summary>
    public string Output => _output.ToString();

    /// <summary>Standard error so far.</summary>
    public string Error => _error.ToString();

    /// <summary>True once the program has ended and its output is complete.</summary>
    public bool HasExited => _command.Task.IsCompleted;

    /// <summary>User and system time, in seconds, of the program and everything below it. Step: 10 ms.</summary>
    public double CpuSeconds => ProcessTree.CpuSeconds(Root);

    /// <summary>The program's standard input; disposing it is its end of file.</summary>
    public Stream Input => _input.Task.GetAwaiter().GetResult();

    internal int Root { get; }

    /// <summary>Sends a signal to the program (not to its children).</summary>
    public void Signal(int signal)
    {
        if (!HasExited) _ = Native.kill(Pid, signal);
    }

    /// <summary>Ends it with SIGKILL, and everything below it, and waits.</summary>
    public void Kill() => End(Native.SIGKILL, TimeSpan.Zero);

    /// <summary>Asks with SIGTERM; after <paramref name="grace"/> (default 3 s) SIGKILL for it and everything below it. Waits.</summary>
    public void Stop(TimeSpan? grace = null) => End(Native.SIGTERM, grace ?? TimeSpan.FromSeconds(3));

    /// <summary>Waits for the end; throws, and ends the program, when it takes longer than <paramref name="timeout"/>.</summary>
    public CompletedProcess Wait(TimeSpan timeout)
    {
        if (!_command.Task.Wait(timeout))
        {
            Kill();
            throw new LabException($"'{_description}' did not end within {timeout.TotalSeconds:0} s. Output: {(Output + Error).Trim()}");
        }
        return new CompletedProcess(_command.Task.Result.ExitCode, Output, Error, _clock.Elapsed, 0);
    }

    /// <summary>Writes an empty line to the program's standard input. Throws if the program has ended before.</summary>
    public void SendLine()
    {
        // Not by a StreamWriter, which flushes behind its write: a program that ends on this line may have ended by then, and its input is closed.
        try { Input.Write("\n"u8); }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            throw new LabException($"'{_description}' had ended before it was to read a line. Output: {(Output + Error).Trim()}");
        }
    }

    /// <summary>Waits until the output (or error) contains <paramref name="text"/>; throws after <paramref name="timeout"/> or when the program ends first.</summary>
    public void WaitForOutput(string text, TimeSpan timeout)
    {
        bool Seen() => Output.Contains(text, StringComparison.Ordinal) || Error.Contains(text, StringComparison.Ordinal);
        if (!Waiting.Until(() => Seen() || HasExited, timeout) || !Seen())
        {
            throw new LabException($"'{_description}' never wrote '{text}'. Output: {(Output + Error).Trim()}");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop();
        // Who has inherited the program's output may live on: nobody reads it any more.
        _disposed.Cancel();
    }

    private static PipeTarget Into(OutputText text) => PipeTarget.Create(async (source, cancelled) =>
    {
        using StreamReader reader = new(source, Encoding.UTF8);
        char[] buffer = new char[4096];
        for (int count; (count = await reader.ReadAsync(buffer, cancelled)) != 0;) text.Write(buffer, 0, count);
    });

    // The program's end cancels this: until then its input stays open, whether anybody writes or not.
    private async Task HoldInput(Stream input, CancellationToken ended)
    {
        _input.SetResult(input);
        await Task.Delay(Timeout.Infinite, ended);
    }

    private void End(int signal, TimeSpan grace)
    {
        if (HasExited) return;
        int[] members = ProcessTree.Members(Root).Where(pid => pid != Root || Pid == Root).ToArray();
        _ = Native.kill(Pid, signal);
        if (_command.Task.Wait(grace)) return;
        foreach (int pid in members.Union(ProcessTree.Members(Root))) _ = Native.kill(pid, Native.SIGKILL);
        _ = _command.Task.Wait(TimeSpan.FromSeconds(5));
    }

    private int FindChild()
    {
        int child = 0;
        _ = Waiting.Until(() => (child = ProcessTree.Members(Root).Skip(1).FirstOrDefault()) != 0 || HasExited, TimeSpan.FromSeconds(10));
        return child == 0 ? Root : child;
    }
}
