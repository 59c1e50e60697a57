using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using FreeFlow.Lab;
using FreeFlow.Lab.Hosts;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>Two containers, a router if the mixture has one, and programs started in them as the mixture says. Disposing takes all of it down.</summary>
public sealed class Stage : IDisposable
{
    private readonly ContainerPair? _pair;
    private readonly List<LabProcess> _servers = [];

    /// <param name="mixture">Who is preloaded.</param>
    /// <param name="routerArguments">More arguments for the router.</param>
    public Stage(Mixture mixture, params string[] routerArguments)
    {
        Mixture = mixture;
        _pair = ContainerPair.Start();
        (Server, Client) = (_pair.First, _pair.Second);
        Folder = Directory.CreateDirectory(Path.Combine(_pair.Folder, "files")).FullName;
        // Servers drop their privileges and still write here.
        if (OperatingSystem.IsLinux()) File.SetUnixFileMode(Folder, (UnixFileMode)Convert.ToInt32("777", 8));
        if (mixture is Mixture.Both or Mixture.ServerOnly or Mixture.ClientOnly or Mixture.RouterKilled) StartRouter(routerArguments);
    }

    /// <summary>Programs in containers of two hosts, the clients on the first; the laboratory is the caller's.</summary>
    public Stage(Laboratory lab, Mixture mixture)
    {
        Mixture = mixture;
        (Client, Server) = (lab.Hosts[0].Containers[0], lab.Hosts[1].Containers[0]);
        Folder = Directory.CreateTempSubdirectory("freeflow-stage-").FullName;
        if (OperatingSystem.IsLinux()) File.SetUnixFileMode(Folder, (UnixFileMode)Convert.ToInt32("777", 8));
    }

    public Mixture Mixture { get; }

    /// <summary>The servers' container.</summary>
    public NetworkPlace Server { get; }

    /// <summary>The clients' container.</summary>
    public NetworkPlace Client { get; }

    /// <summary>The server's IPv4 address.</summary>
    public string Address => Server.Address4;

    /// <summary>A folder for files that both sides see.</summary>
    public string Folder { get; }

    /// <summary>The router, once there is one.</summary>
    public RouterProcess? Router { get; private set; }

    /// <summary>The router's socket as the machine sees it.</summary>
    public string SocketPath => _pair!.SocketPath;

    /// <summary>What every preloaded program finds in its environment: here, an offer at once, without waiting for what comes of it.</summary>
    public Dictionary<string, string> Variables { get; } = new() { ["FREEFLOW_OFFER_AFTER"] = "0" };

    /// <summary>Makes connect and accept wait for the join, so that the ring carries everything from the first byte on.</summary>
    public Stage WaitingForTheJoin()
    {
        Variables["FREEFLOW_JOIN"] = "wait";
        return this;
    }

    public void StartRouter(params string[] arguments) => Router = _pair!.StartRouter(arguments);

    /// <summary>Starts a server and waits until it listens on <paramref name="port"/>.</summary>
    public LabProcess Serve(CommandLine command, int port)
    {
        LabProcess server = Server.Start(AsServer(command));
        _servers.Add(server);
        Server.WaitForPort(port, server);
        return server;
    }

    /// <summary>Runs a program of the server's side (initdb, a control command) to its end.</summary>
    public CompletedProcess CallOnServer(CommandLine command) => Server.Run(AsServer(command)).Succeeded(command.ToString());

    /// <summary>Runs a client to its end; its exit code must be 0.</summary>
    public CompletedProcess Call(CommandLine command, double seconds = 40) =>
        Client.Run(AsClient(command), TimeSpan.FromSeconds(seconds)).Succeeded(command.ToString());

    /// <summary>The command as this mixture starts it on the server's side.</summary>
    public CommandLine AsServer(CommandLine command) => Prepare(command, Mixture is not (Mixture.Plain or Mixture.ClientOnly));

    /// <summary>The command as this mixture starts it on the client's side.</summary>
    public CommandLine AsClient(CommandLine command) => Prepare(command, Mixture is not (Mixture.Plain or Mixture.ServerOnly));

    /// <summary>What the servers wrote to standard error that speaks of FreeFlow: must be nothing.</summary>
    public string Complaints => string.Join('\n', _servers.SelectMany(s => s.Error.Split('\n'))
        .Where(line => line.Contains("freeflow", StringComparison.OrdinalIgnoreCase) && !line.Contains(Folder, StringComparison.Ordinal)));

    /// <summary>All that the servers wrote to standard error, to explain a complaint.</summary>
    public string ServerErrors => string.Join('\n', _servers.Select(server => server.Error));

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_pair is not null) { _pair.Dispose(); return; }
        foreach (LabProcess server in _servers) server.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private CommandLine Prepare(CommandLine command, bool preloaded) => preloaded ? command.WithPreload().With(Variables) : command;
}
