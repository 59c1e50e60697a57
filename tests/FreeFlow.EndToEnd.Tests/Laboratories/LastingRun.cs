using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Threading;
using FreeFlow.Lab;
using FreeFlow.Lab.Hosts;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Laboratories;

/// <summary>Both ends of one lasting.py connection, which goes on until <see cref="Finish"/>. Disposing ends them.</summary>
public sealed class LastingRun : IDisposable
{
    /// <summary>Ways to use a connection.</summary>
    public static readonly string[] Styles = ["questions", "blocking", "poll", "epoll-et", "one-way"];

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(40);
    private static int s_lastPort = 24000;

    private readonly int _port = Interlocked.Increment(ref s_lastPort);
    private readonly LabProcess _server, _client;

    public LastingRun(Stage stage, string style)
    {
        Style = style;
        _server = stage.Serve(Tools.PythonProgram("lasting.py", "server", "0.0.0.0", $"{_port}", style), _port);
        _client = stage.Client.Start(stage.AsClient(Tools.PythonProgram("lasting.py", "client", stage.Address, $"{_port}", style)));
    }

    public string Style { get; }

    /// <summary>The connection's ends that a router knows.</summary>
    public ConnectionStatus[] Connections(RouterStatus status)
    {
        string port = string.Create(CultureInfo.InvariantCulture, $":{_port}");
        return status.Processes.SelectMany(process => process.Connections)
            .Where(connection => connection.Local.EndsWith(port, StringComparison.Ordinal) || connection.Remote.EndsWith(port, StringComparison.Ordinal)).ToArray();
    }

    /// <summary>Bytes that the client has sent and received by rings, all that this one connection has had, once its router knows it.</summary>
    public (long Sent, long Received) RingBytes(LabHost host)
    {
        ConnectionStatus[] found = [];
        Assert.That(Waiting.Until(() => (found = Connections(host.Status())).Length == 1, s_patience), $"{Style}: {host.Name} does not know the connection\n{Text}");
        return (found[0].RingSent, found[0].RingReceived);
    }

    /// <summary>Waits until rings have carried another <paramref name="bytes"/> beyond <paramref name="before"/> in each direction that carries any.</summary>
    public void WaitForRingBytes(Laboratory lab, (long Sent, long Received) before, long bytes, string after)
    {
        LabHost host = lab.Hosts[0];
        (long Sent, long Received) now = (-1, -1);
        bool grown = Waiting.Until(() => _client.HasExited || _server.HasExited
            || ((now = RingBytes(host)).Sent >= before.Sent + bytes && (Style == "one-way" || now.Received >= before.Received + bytes)), s_patience);
        Assert.That(grown && !_client.HasExited && !_server.HasExited, Is.True, $"{Style}, {after}: {now} by rings, {before} before\n{Text}\n{string.Join('\n', lab.Hosts.SelectMany(each => Connections(each.Status()).Select(c => $"{each.Name}: {c.State}: {c.Reason}, kernel {c.KernelSent} and {c.KernelReceived}")))}\n{string.Join('\n', lab.Hosts.Select(each => each.Log("router")))}");
    }

    /// <summary>Ends the stream; each end must have seen what the other has sent, and nothing else.</summary>
    public void Finish()
    {
        _client.Input.WriteLine();
        string[] client = End(_client), server = End(_server);
        Assert.That(Numbers(server, "received"), Is.EqualTo(Numbers(client, "sent")), Text);
        Assert.That(Numbers(client, "received"), Is.EqualTo(Numbers(server, "sent")), Text);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }

    private string Text => $"client: {_client.Output}{_client.Error}\nserver: {_server.Output}{_server.Error}";

    private string[] End(LabProcess process)
    {
        CompletedProcess end = process.Wait(s_patience);
        Assert.That((end.ExitCode, end.Error), Is.EqualTo((0, "")), $"{Style}\n{Text}");
        Assert.That(end.Output, Does.EndWith("ok\n"), Style);
        return end.Output.Split('\n');
    }

    private static IEnumerable<string> Numbers(string[] lines, string word) => lines.Where(line => line.StartsWith(word, StringComparison.Ordinal)).Select(line => line.Split(' ')[1]);
}
