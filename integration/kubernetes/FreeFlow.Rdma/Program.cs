using System;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Net;
using System.Threading.Tasks;

namespace FreeFlow.Rdma;

internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        Option<string> system = new("--system-folder")
        {
            Description = "where sysfs is",
            DefaultValueFactory = _ => "/sys",
            HelpName = "PATH",
        };
        Option<string> address = new("--address")
        {
            Description = "the address to listen on",
            DefaultValueFactory = _ => "::",
            HelpName = "ADDRESS",
        };
        address.Validators.Add(result =>
        {
            if (!IPAddress.TryParse(result.GetValueOrDefault<string>(), out _))
                result.AddError($"--address {result.Tokens[0].Value}: this is no IP address.");
        });
        Option<int> daemonPort = Port("--port", "the port to listen on (env PORT)", 54005);
        Command daemon = new("hardware-daemon", "Tells of this node's SR-IOV functions: GET /getpfs.") { system, address, daemonPort };
        daemon.SetAction((parsed, cancellation) =>
            ServeAsync(WebServer.ServeHardwareAsync(EndpointOf(parsed, address, daemonPort), parsed.GetValue(system)!, Say, cancellation)));

        Option<int> extenderPort = Port("--port", "the port to listen on (env PORT)", 8888);
        Option<int> hardwarePort = new("--hardware-port")
        {
            Description = "the port of the nodes' hardware daemons",
            DefaultValueFactory = _ => 54005,
            HelpName = "PORT",
        };
        Option<int> patience = new("--patience-ms")
        {
            Description = "how long all nodes of a request together have to answer; the scheduler itself waits for 5 s",
            DefaultValueFactory = _ => 1500,
            HelpName = "MS",
        };
        patience.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1) result.AddError($"--patience-ms {result.Tokens[0].Value}: give 1 or more.");
        });
        Command extender = new("scheduler-extender", "Tells the scheduler which nodes have the RDMA interfaces that a pod asks for.")
        {
            address, extenderPort, hardwarePort, patience,
        };
        extender.SetAction((parsed, cancellation) =>
            ServeAsync(WebServer.ServeExtenderAsync(EndpointOf(parsed, address, extenderPort), parsed.GetValue(hardwarePort),
                TimeSpan.FromMilliseconds(parsed.GetValue(patience)), Say, cancellation)));

        RootCommand command = new("RDMA interfaces as a resource of a Kubernetes cluster.") { daemon, extender };
        return await command.Parse(arguments).InvokeAsync();
    }

    private static IPEndPoint EndpointOf(ParseResult parsed, Option<string> address, Option<int> port) =>
        new(IPAddress.Parse(parsed.GetValue(address)!), parsed.GetValue(port));

    private static Option<int> Port(string name, string description, int standard)
    {
        Option<int> option = new(name)
        {
            Description = description,
            DefaultValueFactory = _ => PortOf("PORT", standard),
            HelpName = "PORT",
        };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 65535)
                result.AddError($"{name} {result.Tokens[0].Value}: a port is 1 to 65535.");
        });
        return option;
    }

    // The port by the name that RIT's images know.
    private static int PortOf(string variable, int standard) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out int port)
            && port is >= 1 and <= 65535 ? port : standard;

    private static async Task<int> ServeAsync(Task serving)
    {
        try
        {
            await serving;
            return 0;
        }
        catch (OperationCanceledException)
        {
            return 0;
        }
        catch (IOException exception)
        {
            Say(exception.Message);
            return 1;
        }
    }

    private static void Say(string line) => Console.Error.WriteLine(line);
}
