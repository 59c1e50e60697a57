using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using FreeFlow.Lab;
using FreeFlow.Suites.Reading;
using FreeFlow.Suites.Running;

namespace FreeFlow.Suites.Suites;

/// <summary>redis' own tests, from its Debian source, with the programs that Debian built from it: clients in Tcl, servers forked by the dozen.</summary>
public sealed class Redis : Suite
{
    // Left out: tests whose names or number are random (psync2-reg), tests of memory figures, of the machine's limits and of modules that would have to be built.
    private static readonly (string Name, string[] Units)[] s_parts =
    [
        ("types", ["unit/type/string", "unit/type/incr", "unit/type/list", "unit/type/list-2", "unit/type/set", "unit/type/zset", "unit/type/hash", "unit/type/stream", "unit/type/stream-cgroups"]),
        ("calls", ["unit/auth", "unit/protocol", "unit/keyspace", "unit/scan", "unit/info", "unit/quit", "unit/networking", "unit/limits", "unit/querybuf", "unit/obuf-limits", "unit/pendingquerybuf", "unit/client-eviction"]),
        ("blocking", ["unit/multi", "unit/pubsub", "unit/pubsubshard", "unit/scripting", "unit/functions", "unit/tracking", "unit/introspection", "unit/introspection-2", "unit/wait", "unit/pause", "unit/shutdown"]),
        ("replication", ["integration/block-repl", "integration/replication", "integration/replication-2", "integration/replication-3", "integration/replication-4", "integration/replication-psync", "integration/failover"]),
        ("programs", ["integration/redis-cli", "integration/redis-benchmark", "integration/aof", "integration/rdb"]),
        ("cluster", ["unit/cluster", "unit/cluster-scripting", "unit/cluster/cli", "unit/cluster/pubsub", "unit/cluster/hostnames", "unit/cluster/misc"]),
    ];

    private static readonly string[] s_programs = ["redis-server", "redis-cli", "redis-benchmark", "redis-check-aof", "redis-check-rdb", "redis-sentinel"];

    private string _source = "";

    /// <inheritdoc/>
    public override string Name => "redis";

    /// <inheritdoc/>
    public override string About => "redis 7: commands, blocking commands, pub/sub, scripts, replication, failover, cluster, redis-cli, redis-benchmark";

    /// <inheritdoc/>
    public override string[] Packages => ["redis-server", "redis-tools", "tcl", "tcl-tls", "dpkg-dev"];

    /// <inheritdoc/>
    public override void Prepare()
    {
        _source = Running.Packages.Source("redis");
        foreach (string program in s_programs)
        {
            string link = Path.Combine(_source, "src", program);
            if (!File.Exists(link)) File.CreateSymbolicLink(link, $"/usr/bin/{program}");
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<SuitePart> Parts() => s_parts.Select(part => Part(part.Name, part.Units));

    private SuitePart Part(string name, string[] units) => new(name, folder =>
    {
        string[] single = units.SelectMany(unit => new[] { "--single", unit }).ToArray();
        // The tests write beside themselves: a copy for each run.
        string script = $"mkdir src && cp -P {_source}/src/redis-* src/ && cp -r {_source}/tests {_source}/runtest {_source}/redis.conf {_source}/sentinel.conf . && exec ./runtest --clients 2 --timeout 120 \"$@\"";
        return new CommandLine("sh", ["-c", script, "sh", .. single]);
    }, (_, completed) => Lines.Matching(Plain(completed.Output), @"^\[ok\]: (?<name>.*?)(\s\(\d+ ms\))?$", @"^\[(err|exception|timeout)\]:? (?<name>.*)$"))
    {
        Patience = TimeSpan.FromMinutes(15),
    };

    // Colours of a terminal that is none.
    private static string Plain(string text) => Regex.Replace(text, "\u001b\\[[0-9;]*m", "");
}
