using System;
using FreeFlow.Cli.Lab;

namespace FreeFlow.Cli;

internal static class Program
{
    private const string Usage = """
        Usage: freeflow run [--router PATH] [--quiet] -- COMMAND [ARGUMENT...]
               freeflow status [--router PATH] [--json] [--watch [SECONDS]]
               freeflow lab [--lab FOLDER] up FILE | down | status | exec [--plain] PLACE COMMAND [ARGUMENT...]
                            | cut HOST | mend HOST | slow HOST rate=RATE,delay=DELAY | kill HOST [DAEMON] | start HOST [DAEMON]

        run      starts COMMAND with its TCP connections accelerated; nothing of freeflow remains in between
        status   lists the processes connected to the router and their connections, with the way their bytes take
        lab      several hosts with containers on this machine, in network namespaces; PLACE is HOST, HOST/CONTAINER or etcd, DAEMON is router or hunter

          --router PATH       the router's socket; default $FREEFLOW_SOCKET or /run/freeflow/router.sock
          --quiet             run: say nothing when there is no router
          --json              for machines
          --watch [SECONDS]   again every SECONDS (default 1) until Ctrl-C
          --lab FOLDER        the laboratory's state and logs; default $FREEFLOW_LAB or /var/lib/freeflow-lab
          --plain             without FreeFlow; commands on a host are always plain
          --help, --version
        """;

    private static int Main(string[] arguments)
    {
        try
        {
            switch (arguments.Length > 0 ? arguments[0] : "")
            {
                case "run":
                    return RunCommand.Execute(RunOptions.Parse(arguments.AsSpan(1)));
                case "status":
                    return StatusCommand.Execute(StatusOptions.Parse(arguments.AsSpan(1)));
                case "lab":
                    return LabCommand.Execute(LabOptions.Parse(arguments.AsSpan(1)));
                case "--help" or "-h" or "help":
                    Console.WriteLine(Usage);
                    return 0;
                case "--version":
                    Console.WriteLine(typeof(Program).Assembly.GetName().Version?.ToString(3));
                    return 0;
                case "":
                    Console.Error.WriteLine(Usage);
                    return 2;
                default:
                    throw new CommandException($"unknown command '{arguments[0]}'; freeflow --help lists them.", 2);
            }
        }
        catch (CommandException exception)
        {
            Console.Error.WriteLine($"freeflow: {exception.Message}");
            return exception.ExitCode;
        }
    }
}
