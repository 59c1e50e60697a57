using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Hunter.Kubernetes;
using FreeFlow.Hunter.Sources;
using FreeFlow.Locations;
using FreeFlow.Locations.Etcd;
using FreeFlow.Locations.Publishing;
using FreeFlow.Native;
using FreeFlow.Service;

namespace FreeFlow.Hunter;

internal static class Program
{
    private static readonly TimeSpan LongestTurn = TimeSpan.FromMinutes(1);

    private static async Task<int> Main(string[] arguments)
    {
        if (arguments.Any(word => word is "--help" or "-help" or "-h")) { Console.WriteLine(HunterOptions.Usage); return 0; }
        if (arguments.Any(word => word is "--version" or "-version")) { Console.WriteLine(typeof(Program).Assembly.GetName().Version?.ToString(3)); return 0; }
        try
        {
            await RunAsync(HunterOptions.Parse(Expand(arguments), Environment.GetEnvironmentVariable)).ConfigureAwait(false);
            return 0;
        }
        catch (HunterException exception)
        {
            Say(exception.Message);
            return 1;
        }
    }

    private static string[] Expand(string[] arguments)
    {
        try { return OptionFile.Expand(arguments); }
        catch (Exception exception) when (exception is FormatException or IOException or UnauthorizedAccessException)
        {
            throw new HunterException(exception.Message);
        }
    }

    private static async Task RunAsync(HunterOptions options)
    {
        using ServiceNotifier service = new(Environment.GetEnvironmentVariable);
        using CancellationTokenSource stop = new();
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            service.Stopping();
            stop.Cancel();
        }

        Address host = options.HostAddress != default ? options.HostAddress : OwnAddress.Towards(options.Etcd.Endpoints[0])
            ?? throw new HunterException("this node's address is not known: give --host-ip, or HOST_IP in the environment.");
        using EtcdClient client = OpenEtcd(options.Etcd);
        PublisherOptions publishing = new()
        {
            LeaseTime = TimeSpan.FromSeconds(options.LeaseSeconds),
            OwnerKey = LocationKeys.HunterPrefix + host,
            OwnerName = options.NodeName,
            WithdrawOnStop = options.Withdraw,
        };
        await using Publisher publisher = new(client, publishing, Say);
        IAddressSource[] sources = [.. options.Sources.Select(name => Open(name, options, host))];
        Collector collector = new(sources.Length, host, options.Prefixes, publisher);
        collector.SetNode(host, options.NodeName);
        publisher.Start();
        // It is alive while its publisher turns; a call to etcd may take its time, a turn never this long.
        using Timer? watchdog = service.WatchdogInterval is { } interval
            ? new(_ => { if (publisher.SinceLastTurn < LongestTurn) service.Alive(); }, null, interval, interval) : null;
        string status = $"publishes {host} ({options.NodeName})";
        // Files and clusters are followed all the time, and options need a restart: what is left are certificates that have been renewed.
        using PosixSignalRegistration hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            service.Reloading();
            try
            {
                client.ReadCertificates();
                Say("etcd's certificates are read again; sources are followed, options need a restart");
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
            {
                Say($"etcd's certificates stay as they are: {exception.Message}");
            }
            service.Ready(status);
        });
        service.Ready(status);
        Say($"{options.NodeName} ({host}) publishes what it finds in {string.Join(", ", options.Sources)} to {string.Join(", ", options.Etcd.Endpoints.Select(uri => uri.Authority))}");
        // No source ends by itself: one that does has a fault, which ends the hunter.
        Task[] running = [.. sources.Select(source => Task.Run(() => source.RunAsync(collector, stop.Token)))];
        await await Task.WhenAny(running).ConfigureAwait(false);
        stop.Cancel();
        await Task.WhenAll(running).ConfigureAwait(false);
        Say("stopped");
    }

    private static EtcdClient OpenEtcd(EtcdOptions options)
    {
        try { return new(options); }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new HunterException($"etcd's TLS files: {exception.Message}");
        }
    }

    private static IAddressSource Open(string name, HunterOptions options, Address host) => name switch
    {
        "kubernetes" => new KubernetesSource(KubernetesAccess.Find(options.KubeConfig), options, host, Say),
        "netns" => new NamespaceSource(Say),
        "cni" => new CniSource(CniSource.DefaultFolder, Say),
        _ => new FileSource(name["file:".Length..], Say),
    };

    internal static void Say(string line) => Console.Error.WriteLine($"freeflow-hunter: {PrintableText.Of(line)}");
}
