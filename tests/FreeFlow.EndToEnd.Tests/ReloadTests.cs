using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.EndToEnd.Tests.Scenarios;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests;

/// <summary>Servers that fork their workers and replace them under load: no request fails that would not fail without the shim.</summary>
public sealed class ReloadTests
{
    private const int Seconds = 4;
    private const int Reloads = 4;

    [Test]
    public void NginxReloadsUnderLoad([Values(Mixture.Plain, Mixture.Both)] Mixture mixture)
    {
        Tools.Require("nginx", Tools.Python);
        using Stage stage = new(mixture);
        NginxServer.Start(stage);
        UnderReloads(stage, NginxServer.Port, "nginx.pid", "HUP");
    }

    [Test]
    public void ApachePreforkRestartsUnderLoad([Values(Mixture.Plain, Mixture.Both)] Mixture mixture)
    {
        const string apache = "/usr/sbin/apache2";
        const int port = 8081;
        Tools.Require(apache, Tools.Python);
        using Stage stage = new(mixture);
        NginxServer.MakeFiles(stage.Folder);
        string configuration = Path.Combine(stage.Folder, "apache.conf"), modules = "/usr/lib/apache2/modules";
        File.WriteAllText(configuration, $"""
            ServerRoot {stage.Folder}
            ServerName test
            LoadModule mpm_prefork_module {modules}/mod_mpm_prefork.so
            LoadModule authz_core_module {modules}/mod_authz_core.so
            Listen 0.0.0.0:{port}
            DocumentRoot {stage.Folder}
            PidFile {stage.Folder}/apache.pid
            ErrorLog {stage.Folder}/apache.log
            User nobody
            Group nogroup
            StartServers 4
            MaxRequestWorkers 16
            KeepAlive On
            MaxKeepAliveRequests 200
            MaxConnectionsPerChild 500
            <Directory />
            Require all granted
            </Directory>
            """);
        stage.Serve(new CommandLine(apache, "-DFOREGROUND", "-f", configuration), port);
        UnderReloads(stage, port, "apache.pid", "USR1");
    }

    private static void UnderReloads(Stage stage, int port, string pidFile, string signal)
    {
        using RingSampler? sampler = stage.Mixture == Mixture.Both ? new RingSampler(stage.SocketPath, TimeSpan.FromMilliseconds(30)) : null;
        CommandLine client = Tools.PythonProgram("reload_client.py", stage.Address, $"{port}", $"{Seconds}", stage.Folder);
        Task<CompletedProcess> load = Task.Factory.StartNew(() => stage.Call(client), TaskCreationOptions.LongRunning);
        for (int i = 0; i < Reloads; i++)
        {
            Thread.Sleep(TimeSpan.FromSeconds((double)Seconds / (Reloads + 1)));
            _ = stage.Server.Run(new CommandLine("bash", "-c", $"kill -{signal} $(cat {stage.Folder}/{pidFile})")).Succeeded("kill");
        }
        TestContext.Out.WriteLine(load.Result.Error);
        Assert.That(load.Result.Output, Is.EqualTo("every thread was served\nfailures: []\n"));
        if (sampler is not null) Assert.That(sampler.RingBytes, Is.Positive, "no byte went through the ring");
        Assert.That(stage.Complaints, Is.Empty);
    }
}
