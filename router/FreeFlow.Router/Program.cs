using System;
using System.Linq;
using System.Runtime.InteropServices;
using FreeFlow.Locations;
using FreeFlow.Native;
using FreeFlow.Router.Cluster;
using FreeFlow.Router.Observe;
using FreeFlow.Router.Pairing;
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
            Run(RouterOptions.Parse(arguments));
            return 0;
        }
        catch (RouterException exception)
        {
            Console.Error.WriteLine($"freeflow-router: {exception.Message}");
            return 1;
        }
    }

    private static void Run(RouterOptions options)
    {
        RaiseDescriptorLimit();
        Log log = new(options.Verbose);
        Statistics statistics = new();
        using KernelWitness witness = new();
        using ClusterMembership cluster = new(options.Cluster, log);
        using Listener listener = Listener.Open(options.SocketPath);
        SessionMessages messages = new(new Broker(options, witness, statistics, log), new StatusService(options, witness, statistics, cluster, log), statistics, log);
        using EventLoop loop = new(options, listener, messages, log);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, StopLoop);
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, StopLoop);

        log.Line($"{StatusReport.Version} listens on {options.SocketPath}");
        if (!witness.HasDiagnosis || witness.OwnNamespaceCookie == 0) log.Line("the kernel lacks tcp_diag or SO_NETNS_COOKIE: every connection stays in the kernel");
        else if (Libc.geteuid() != 0) log.Line("not run by root: only connections inside the router's own network namespace can be proven");
        cluster.Start();
        // Without transports nobody can stream to this router, but everybody sees that it is there.
        cluster.Publish(new RouterDescription { Port = options.Cluster.FabricPort, Capabilities = [], Version = StatusReport.Version });
        loop.Run();
        log.Line("stopped");

        void StopLoop(PosixSignalContext context)
        {
            context.Cancel = true;
            loop.Stop();
        }
    }

    /// <summary>A descriptor per session and per namespace: as many as the system lets us have.</summary>
    private static void RaiseDescriptorLimit()
    {
        if (Libc.getrlimit(Libc.RLIMIT_NOFILE, out ResourceLimit limit) != 0) return;
        limit.Soft = limit.Hard;
        Libc.setrlimit(Libc.RLIMIT_NOFILE, limit);
    }
}
