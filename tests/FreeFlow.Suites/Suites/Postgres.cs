using System;
using System.Collections.Generic;
using System.IO;
using FreeFlow.Lab;
using FreeFlow.Suites.Reading;
using FreeFlow.Suites.Running;

namespace FreeFlow.Suites.Suites;

/// <summary>PostgreSQL's regression and isolation tests, from its Debian source, against Debian's server over TCP; then what servers say to each other.</summary>
public sealed class Postgres : Suite
{
    private const string Programs = "/usr/lib/postgresql/15";

    private string _source = "";

    /// <inheritdoc/>
    public override string Name => "postgres";

    /// <inheritdoc/>
    public override string About => "PostgreSQL 15: regression and isolation tests, pgbench, dump and restore, replication";

    /// <inheritdoc/>
    public override string[] Packages => ["postgresql-15", "postgresql-server-dev-15", "dpkg-dev"];

    private static string Script => Path.Combine(Artifacts.Root, "tests", "FreeFlow.Suites", "programs", "postgres.sh");

    /// <inheritdoc/>
    public override void Prepare()
    {
        _source = Running.Packages.Source("postgresql-15");
        string library = Path.Combine(_source, "regress.so");
        if (File.Exists(library)) return;
        // The one C file of the tests, as its makefile would build it.
        _ = Place.Host.Run(new CommandLine("sh", "-c", $"gcc -O2 -fPIC -shared -I$({Programs}/bin/pg_config --includedir-server) -o {library} {_source}/src/test/regress/regress.c"))
            .Succeeded("building regress.so");
    }

    /// <inheritdoc/>
    public override IEnumerable<SuitePart> Parts()
    {
        yield return Regress("regression");
        yield return Regress("isolation");
        yield return new SuitePart("programs", _ => new CommandLine(Script, "programs", _source), (_, completed) => Lines.Tap(completed.Output));
    }

    private SuitePart Regress(string what) => new(what, _ => new CommandLine(Script, what, _source),
        (_, completed) => Lines.Matching(completed.Output, @"^(test|    ) +(?<name>\S+)\s+\.\.\. ok", @"^(test|    ) +(?<name>\S+)\s+\.\.\. (FAILED|failed)"))
    {
        Patience = TimeSpan.FromMinutes(10),
    };
}
