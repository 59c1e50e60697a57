using System;
using System.Linq;
using System.Runtime.InteropServices;
using FreeFlow.Locations;
using FreeFlow.Native;
using FreeFlow.Router.Fabric;
using FreeFlow.Router.Fabric.Journal;
using FreeFlow.Router.Cluster;
using FreeFlow.Router.Observe;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Policy;
using FreeFlow.Router.Sessions;

namespace FreeFlow.Router;

internal static class Program
{
    private static int Main(string[] arguments)
    {
        if (arguments.Contains("--help") || arguments.Contains("-h")) { Console.WriteLine(RouterOptions.Usage); return 0; }
        if (arguments.Contains("--version")) { Console.WriteLine(StatusReport.Version); return 0; }
        try
        {
            Run(RouterOptions.Parse(ServiceLife.Options(arguments)), arguments);
            return 0;
        }
        catch (RouterException exception)
        {
            Console.Error.WriteLine($"freeflow-router: {exception.Message}");
            return 1;
        }
    }

    private static void Run(RouterOptions options, string[] arguments)
    {
        DescriptorReserve.Establish();
        Log log = new(options.Verbose);
        Threads.Faulted = (name, exception) => log.Line($"fault in thread {name}: {exception.GetType().Name}: {exception.Message}");
        Statistics statistics = new();
        using KernelWitness witness = new();
        using ClusterMembership cluster = new(options.Cluster, log);
        using Listener listener = Listener.Open(options.SocketPath);
        using PolicyTable policy = new(options.PolicyPath, Environment.GetEnvironmentVariables(), log, cluster.Locations);
        using RingJournal? journal = options.StateFolder is { } folder ? RingJournal.TryOpen(folder, log) : null;
        Broker broker = new(options, witness, policy, statistics, log) { Journal = journal };
        StatusService status = new(options, witness, statistics, cluster, broker);
        SessionMessages messages = new(broker, status, statistics, log);
        using EventLoop loop = new(options, listener, messages, broker, statistics, log);
        status.Post = loop.Post;
        broker.Follow(cluster.Locations, loop.Post);
        using ServiceLife service = new(loop.Post, arguments, log);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, StopLoop);
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, StopLoop);

        log.Line($"{StatusReport.Version} listens on {options.SocketPath}");
        if (!witness.HasDiagnosis || witness.OwnNamespaceCookie == 0) log.Line("the kernel lacks tcp_diag or SO_NETNS_COOKIE: every connection stays in the kernel");
        else if (Libc.geteuid() != 0) log.Line("not run by root: only connections inside the router's own network namespace can be proven");
        if (Libc.geteuid() == 0 && witness.ProbeProblem is { } problem) log.Line($"bpf(2) is not to be had ({problem}): connections between network namespaces stay in the kernel; give the router CAP_BPF and that call");
        using IFabric? fabric = OpenFabric(options.Cluster, cluster, broker, log, loop);
        if (fabric is not null) service.Reloads += fabric.ReadCertificates;
        service.Reloads += cluster.ReadCertificates;
        cluster.Start();
        // Without transports nobody can stream to this router, but everybody sees that it is there.
        cluster.Publish(new RouterDescription { Port = options.Cluster.FabricPort, Capabilities = fabric is null ? [] : ["tcp"], Version = StatusReport.Version });
        service.Ready($"listens on {options.SocketPath}");
        if (journal is not null) AbandonedRings.TakeUp(journal, log);
        Priority.Take(options.Nice, log);
        loop.Run();
        service.Stopping();
        log.Line("stopped");

        void StopLoop(PosixSignalContext context)
        {
            context.Cancel = true;
            loop.Stop();
        }
    }

    private static TcpFabric? OpenFabric(ClusterOptions options, ClusterMembership cluster, Broker broker, Log log, EventLoop loop)
    {
        if (options.Source == LocationSource.None) return null;
        if (!options.HasFabric) { log.Line($"no certificates for the fabric: connections between hosts stay on the overlay (--fabric-cert, or {ClusterOptions.InsecureFabric} in a laboratory)"); return null; }
        if (cluster.Host == default) { log.Line("this host's address is not known: connections between hosts stay on the overlay (--host)"); return null; }
        InternetAddress host = new(cluster.Host.Value);
        TcpFabric fabric = new(
            new FabricOptions
            {
                Host = host, Port = options.FabricPort, Insecure = options.IsFabricInsecure, Congestion = options.FabricCongestion,
                AuthorityPath = options.FabricCertificates?[0], CertificatePath = options.FabricCertificates?[1], KeyPath = options.FabricCertificates?[2],
            },
            log);
        broker.Remote = new RemoteBroker(fabric, cluster.Locations, host, broker.Pairing, broker, log, loop.Post);
        fabric.Start(broker.Remote);
        log.Line($"fabric: other routers reach this one at {host} port {options.FabricPort}{(options.IsFabricInsecure ? ", without certificates" : "")}");
        return fabric;
    }
}
