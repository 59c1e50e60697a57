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

    private const long AnswerBytes = 1000;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(40);
    private static int s_lastPort = 24000;

    private readonly int _clientsPort;
    private readonly LabProcess _server, _client;

    /// <param name="stage">Where it runs.</param>
    /// <param name="style">How the connection is used.</param>
    /// <param name="address">What the client connects to; by default the stage's server.</param>
    /// <param name="place">Where the server runs; by default the stage's.</param>
    /// <param name="servicePort">The port that the client connects to, if that is not the server's own.</param>
    /// <param name="listening">Called with the server's port before the client connects.</param>
    /// <param name="from">Where the client runs; by default the stage's.</param>
    public LastingRun(Stage stage, string style, string? address = null, NetworkPlace? place = null, int servicePort = 0, Action<int>? listening = null, NetworkPlace? from = null)
    {
        Style = style;
        Port = Interlocked.Increment(ref s_lastPort);
        place ??= stage.Server;
        _server = place.Start(stage.AsServer(Tools.PythonProgram("lasting.py", "server", address?.Contains(':') == true ? "::" : "0.0.0.0", $"{Port}", style)));
        place.WaitForPort(Port, _server);
        listening?.Invoke(Port);
        _clientsPort = servicePort == 0 ? Port : servicePort;
        _client = (from ?? stage.Client).Start(stage.AsClient(Tools.PythonProgram("lasting.py", "client", address ?? stage.Address, $"{_clientsPort}", style)));
    }

    /// <summary>Where the server listens.</summary>
    public int Port { get; }

    public string Style { get; }

    /// <summary>The connection's ends that a router knows.</summary>
    public ConnectionStatus[] Connections(RouterStatus status)
    {
        string[] ports = [string.Create(CultureInfo.InvariantCulture, $":{Port}"), string.Create(CultureInfo.InvariantCulture, $":{_clientsPort}")];
        return status.Processes.SelectMany(process => process.Connections)
            .Where(connection => Array.Exists(ports, port => connection.Local.EndsWith(port, StringComparison.Ordinal) || connection.Remote.EndsWith(port, StringComparison.Ordinal))).ToArray();
    }

    /// <summary>Bytes that the client has sent and received by rings, all that this one connection has had, once its router knows it.</summary>
    public (long Sent, long Received) RingBytes(LabHost host)
    {
        ConnectionStatus[] found = [];
        Assert.That(Waiting.Until(() => (found = [.. Connections(host.Status()).Where(IsClients)]).Length == 1, s_patience), $"{Style}: {host.Name} knows {found.Length} such connections\n{Text}\n{string.Join('\n', host.Status().Processes.SelectMany(process => process.Connections.Select(c => $"{process.Pid}: {c.Local} {c.Remote} {c.State} {c.Reason}")))}\n{host.Log("router")}");
        return (found[0].RingSent, found[0].RingReceived);
    }

    /// <summary>Waits until the kernel has carried <paramref name="bytes"/>, and rings meanwhile none.</summary>
    public void WaitForKernelBytes(LabHost host, long bytes)
    {
        (long Kernel, (long, long) Rings) before = default;
        bool Grown()
        {
            if (Connections(host.Status()).FirstOrDefault(IsClients) is not { } connection) return false;
            if (before.Rings != (connection.RingSent, connection.RingReceived)) before = (connection.KernelSent, (connection.RingSent, connection.RingReceived));
            return connection.KernelSent >= before.Kernel + bytes;
        }
        Assert.That(Waiting.Until(() => _client.HasExited || Grown(), s_patience) && !_client.HasExited, $"{Style}: {before} by the kernel and by rings\n{Text}");
    }

    /// <summary>Waits until rings have carried another <paramref name="bytes"/> beyond <paramref name="before"/>, and some back where anything comes back: answers are short.</summary>
    public void WaitForRingBytes(Laboratory lab, (long Sent, long Received) before, long bytes, string after)
    {
        LabHost host = lab.Hosts[0];
        (long Sent, long Received) now = (-1, -1);
        bool grown = Waiting.Until(() => _client.HasExited || _server.HasExited
            || ((now = RingBytes(host)).Sent >= before.Sent + bytes && (Style == "one-way" || now.Received >= before.Received + AnswerBytes)), s_patience);
        Assert.That(grown && !_client.HasExited && !_server.HasExited, Is.True, $"{Style}, {after}: {now} by rings, {before} before\n{Text}\n{string.Join('\n', lab.Hosts.SelectMany(each => Connections(each.Status()).Select(c => $"{each.Name}: {c.State}: {c.Reason}, kernel {c.KernelSent} and {c.KernelReceived}")))}\n{string.Join('\n', lab.Hosts.Select(each => each.Log("router")))}");
    }

    /// <summary>Ends the stream; each end must have seen what the other has sent, and nothing else.</summary>
    public void Finish()
    {
        _client.SendLine();
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

    private bool IsClients(ConnectionStatus connection) => connection.Remote.EndsWith(string.Create(CultureInfo.InvariantCulture, $":{_clientsPort}"), StringComparison.Ordinal);

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
