using System.IO;
using FreeFlow.Lab;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Scenarios;

/// <summary>MariaDB, which has an io_uring for its files from its start on and waits for its connections by poll(2): a thread for each.</summary>
public sealed class MariaDb : Scenario
{
    private const int Port = 3306;

    private const string Table =
        "create user 't'@'%' identified by ''; grant all on *.* to 't'@'%'; create database x; create table x.t (id int primary key, v longtext, n int); "
        + "insert into x.t select seq, repeat('y', 100), 0 from x.seq_1_to_500";

    private const string Load = "select v from t where id = 77; update t set n = n + 1 where id = 5; select count(*) from t where id < 50";

    private const string Result = "select count(*), sum(length(v)), max(n) > 0 from t; select md5(group_concat(v)), repeat('z', 200000) from t; select v from t";

    public override string[] Needs => ["/usr/sbin/mariadbd", "mariadb-install-db", "mariadb", "mariadb-slap"];

    public override void Start(Stage stage)
    {
        string data = Path.Combine(stage.Folder, "data"), first = Path.Combine(stage.Folder, "first.sql");
        stage.CallOnServer(Server(stage, "mariadb-install-db", "--no-defaults", $"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db"));
        File.WriteAllText(first, Table.Replace("; ", ";\n", System.StringComparison.Ordinal) + ";\n");
        stage.Serve(Server(stage, "/usr/sbin/mariadbd", "--no-defaults", $"--datadir={data}", $"--port={Port}", "--bind-address=0.0.0.0",
            $"--socket={stage.Folder}/db.sock", $"--pid-file={stage.Folder}/db.pid", $"--init-file={first}", "--skip-name-resolve",
            "--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0"), Port);
    }

    public override string Work(Stage stage, int seconds)
    {
        string queries = seconds > 1 ? "20000" : "2000";
        CommandLine load = Client(stage, "mariadb-slap", "--create-schema=x", $"--query={Load}", "--delimiter=;", "--concurrency=4", $"--number-of-queries={queries}");
        Assert.That(stage.Call(load).Output, Does.Contain("Average number of queries"));
        return stage.Call(Client(stage, "mariadb", "-N", "-e", Result, "x")).Output;
    }

    private static CommandLine Client(Stage stage, string program, params string[] arguments) =>
        new(program, ["--no-defaults", "-h", stage.Address, "-P", $"{Port}", "-u", "t", "--skip-ssl", .. arguments]);

    private static CommandLine Server(Stage stage, string program, params string[] arguments) =>
        new CommandLine(program, [.. arguments, "--user=root"]).With("TMPDIR", stage.Folder).In(stage.Folder);
}
