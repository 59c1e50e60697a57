using System;
using System.IO;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Scenarios;

/// <summary>PostgreSQL, which forks for every connection: initdb, psql, pgbench.</summary>
public sealed class Postgres : Scenario
{
    private const int Port = 5432;

    private const string Invariant = "select sum(abalance) = (select sum(delta) from pgbench_history), count(*) from pgbench_accounts";

    private const string LargeRow = "select md5(string_agg(md5(i::text), '')), length(string_agg(repeat('x', 100), '')) from generate_series(1, 50000) i";

    private const string ManyRows = "copy (select i, md5(i::text) from generate_series(1, 30000) i) to stdout";

    // Debian keeps the server's programs out of PATH; any version will do.
    private static string Folder { get; } = Find();

    public override string[] Needs => [Path.Combine(Folder, "initdb"), "psql", "setpriv"];

    public override void Start(Stage stage)
    {
        string data = Path.Combine(stage.Folder, "data");
        stage.CallOnServer(Command(stage, "initdb", "-D", data, "--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C"));
        File.AppendAllText(Path.Combine(data, "pg_hba.conf"), "host all all 0.0.0.0/0 trust\n");
        stage.Serve(Command(stage, "postgres", "-D", data, "-p", $"{Port}", "-h", "0.0.0.0", "-k", stage.Folder, "-c", "fsync=off", "-c", "shared_buffers=32MB"), Port);
        stage.Call(Client(stage, "pgbench", "-i", "-q", "-s", "1"));
    }

    public override string Work(Stage stage, int seconds)
    {
        foreach (string[] how in new[] { ["-S"], new[] { "-N" }, [] })
        {
            string[] length = seconds > 1 && how.Length == 1 ? ["-T", "1"] : ["-t", "150"];
            string output = stage.Call(Client(stage, "pgbench", ["-n", "-c", "4", "-j", "2", .. length, .. how])).Output;
            Assert.That(output, Does.Contain("number of failed transactions: 0 "));
        }
        return stage.Call(Query(stage, Invariant)).Output + stage.Call(Query(stage, LargeRow)).Output + stage.Call(Query(stage, ManyRows)).Output;
    }

    private static CommandLine Query(Stage stage, string sql) => Client(stage, "psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql);

    private static CommandLine Client(Stage stage, string program, params string[] arguments) =>
        Command(stage, program, [.. arguments, "-h", stage.Address, "-p", $"{Port}", "-U", "postgres", .. program == "psql" ? ["-d"] : Array.Empty<string>(), "postgres"]);

    private static CommandLine Command(Stage stage, string program, params string[] arguments) =>
        new CommandLine(Path.Combine(Folder, program), arguments).As("postgres").In(stage.Folder);

    private static string Find()
    {
        string[] versions = Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql") : [];
        return versions.Length > 0 ? Path.Combine(versions[^1], "bin") : "/usr/lib/postgresql/bin";
    }
}
