using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using NUnit.Framework;

namespace FreeFlow.EndToEnd.Tests.Scenarios;

/// <summary>A server and what its clients do with it. Once started, the work can be done any number of times.</summary>
public abstract class Scenario
{
    /// <summary>Every kind of program, as issue and README name them.</summary>
    public static Scenario[] All =>
    [
        new Redis(), new Memcached(), new Nginx(), new Wrk(), new Postgres(), new MariaDb(), new Iperf(), new Sockperf(), new PythonAsyncio(), new PythonSocketServer(),
        new PythonForkingServer(), new PythonHttp(), new NodeHttp(), new JavaEcho(), new Socat(), new Ncat(),
    ];

    public string Name => GetType().Name;

    /// <summary>Programs that must be installed.</summary>
    public abstract string[] Needs { get; }

    /// <summary>False for a client that opens many connections one after the other in little time: waiting for each would use it up.</summary>
    public virtual bool MayWaitForTheJoin => true;

    /// <summary>Starts the server.</summary>
    public abstract void Start(Stage stage);

    /// <summary>
    /// Does the client's work for at least <paramref name="seconds"/>, checks it, and returns what a run without FreeFlow must return too.
    /// </summary>
    public abstract string Work(Stage stage, int seconds);

    public override string ToString() => Name;

    /// <summary>Does <paramref name="once"/> for at least that long; every round must give the same.</summary>
    protected static string Repeat(int seconds, Func<string> once)
    {
        Stopwatch clock = Stopwatch.StartNew();
        HashSet<string> results = [];
        do results.Add(once()); while (clock.Elapsed.TotalSeconds < seconds);
        Assert.That(results, Has.Count.EqualTo(1), $"rounds differ: {string.Join(" | ", results.Select(r => r.Trim()))}");
        return results.Single();
    }
}
