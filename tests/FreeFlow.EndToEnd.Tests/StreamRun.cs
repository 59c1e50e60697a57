using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Threading;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>Both ends of one stream.py connection, running. Disposing ends them.</summary>
public sealed class StreamRun : IDisposable
{
    private static int s_lastPort = 20000;

    private readonly List<LabProcess> _ends = [];
    private readonly int _port = Interlocked.Increment(ref s_lastPort);

    public StreamRun(Stage stage, StreamPlan plan)
    {
        string listen = plan.Family == "4" || plan.Family == "mapped" ? "0.0.0.0" : "::";
        bool remote = plan.Where == "processes";
        string address = plan.Family switch
        {
            "6" => remote ? stage.Server.Address6 : "::1",
            "mapped" => "::ffff:" + (remote ? stage.Address : "127.0.0.1"),
            _ => remote ? stage.Address : "127.0.0.1",
        };
        if (!remote) { _ends.Add(stage.Server.Start(stage.AsServer(Command(plan.Where, address, plan)))); return; }
        _ends.Add(stage.Serve(Command("server", listen, plan), _port));
        _ends.Add(stage.Client.Start(stage.AsClient(Command("client", address, plan))));
    }

    /// <summary>How long the whole transfer may take.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>The living connection's ends, as the router sees them.</summary>
    public ConnectionStatus[] Connections(Stage stage)
    {
        string port = string.Create(CultureInfo.InvariantCulture, $":{_port}");
        return stage.Router!.Status().Processes.SelectMany(p => p.Connections)
            .Where(c => c.Local.EndsWith(port, StringComparison.Ordinal) || c.Remote.EndsWith(port, StringComparison.Ordinal)).ToArray();
    }

    /// <summary>Waits until all bytes have arrived and were right; the connection stays open.</summary>
    public void WaitUntilTransferred()
    {
        bool done = Waiting.Until(() => _ends.All(Transferred) || _ends.Exists(end => end.HasExited), Patience) && _ends.All(Transferred);
        // The first end to complain takes the other with it: wait for both, so that the cause is shown.
        if (!done) Waiting.Until(() => _ends.TrueForAll(end => end.HasExited), TimeSpan.FromSeconds(1));
        Assert.That(done, Is.True, string.Join("\n--\n", _ends.Select(end => $"{(end.HasExited ? "ended" : "still running")}: {(end.Output + end.Error).Trim()}")));

        static bool Transferred(LabProcess end) => end.Output.Contains("transferred", StringComparison.Ordinal);
    }

    /// <summary>Lets the ends close; each must see the end of the stream, and nothing before it.</summary>
    public void Finish()
    {
        foreach (LabProcess end in _ends) end.SendLine();
        foreach (LabProcess end in _ends)
        {
            CompletedProcess completed = end.Wait(Patience);
            Assert.That(completed.Error, Is.Empty);
            Assert.That((completed.ExitCode, completed.Output), Is.EqualTo((0, "transferred\nok\n")));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (LabProcess end in _ends) end.Dispose();
    }

    private CommandLine Command(string role, string address, StreamPlan plan)
    {
        string[] arguments = [role, address, $"{_port}", $"{plan.Bytes}", $"{plan.Seed}", plan.Style, .. plan.Options.Split(' ')];
        return Tools.PythonProgram("stream.py", arguments);
    }
}
