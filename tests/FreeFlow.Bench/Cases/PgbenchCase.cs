using System;
using System.Globalization;
using System.IO;
using System.Linq;
using FreeFlow.Bench.Measuring;
using FreeFlow.Lab;

namespace FreeFlow.Bench.Cases;

/// <summary>pgbench -S (one SELECT by key per transaction), four connections, prepared statements.</summary>
internal sealed class PgbenchCase : BenchCase
{
    private const string User = "postgres";
    private string _binaries = "";
    private string _folder = "";

    internal override Metric[] Metrics { get; } = [new Metric("pgbench-select", "transactions/s", true, Target.Times(1.3))];

    internal override Road[] Roads => [Road.Kernel, Road.Unix, Road.FreeFlow];

    internal override void Prepare(Testbed testbed)
    {
        _binaries = Directory.EnumerateDirectories("/usr/lib/postgresql").Select(version => Path.Combine(version, "bin")).LastOrDefault()
            ?? throw new LabException("No PostgreSQL in /usr/lib/postgresql: run 'make setup'.");
        _folder = Path.Combine(testbed.Pair.Folder, "postgresql");
        Place place = testbed.Pair.First;
        _ = place.Run(new CommandLine("install", "-d", "-o", User, "-g", User, _folder)).Succeeded("making PostgreSQL's folder");
        _ = place.Run(Tool("initdb", "-D", _folder, "-A", "trust", "--no-sync", "--no-locale", "-E", "UTF8")).Succeeded("initdb");
        File.AppendAllText(Path.Combine(_folder, "pg_hba.conf"), "host all all all trust\n");
        _ = Measure(testbed, Road.Kernel, port => Fill(testbed, port));
    }

    internal override Sample Measure(Testbed testbed, Road road) => Measure(testbed, road, null);

    private Sample Measure(Testbed testbed, Road road, Action<int>? before)
    {
        int port = testbed.NextPort();
        string text = port.ToString(CultureInfo.InvariantCulture);
        CommandLine server = Tool("postgres", "-D", _folder, "-p", text, "-k", _folder, "-h", "0.0.0.0", "-c", "fsync=off", "-c", "shared_buffers=64MB");
        CommandLine client = Tool("pgbench", "-S", "-n", "-M", "prepared", "-c", "4", "-j", "1", "-T", testbed.WholeSeconds,
            "-h", road == Road.Unix ? _folder : testbed.Pair.First.Address4, "-p", text, User);
        bool Ready() => testbed.Pair.First.Run(Tool("pg_isready", "-q", "-h", _folder, "-p", text)).ExitCode == 0;
        Exchange exchange = testbed.Run(road, server, Ready, client, before is null ? null : () => before(port));
        string output = exchange.Client.Output;
        double transactions = Text.Find(output, "transactions actually processed: ([0-9]+)");
        return new Sample(exchange.CpuSeconds * 1e6 / transactions, exchange.RingBytes, Text.Find(output, "^tps = ([0-9.]+)"));
    }

    private void Fill(Testbed testbed, int port) =>
        _ = testbed.Pair.First.Run(Tool("pgbench", "-i", "-q", "-s", "5", "-h", _folder, "-p", port.ToString(CultureInfo.InvariantCulture), User)).Succeeded("pgbench -i");

    private CommandLine Tool(string name, params string[] arguments) => new CommandLine(Path.Combine(_binaries, name), arguments).As(User);
}
