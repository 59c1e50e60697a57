using System.Collections.Generic;
using FreeFlow.Suites.Suites;

namespace FreeFlow.Suites.Running;

/// <summary>A test suite that was written for kernel sockets and knows nothing of FreeFlow.</summary>
public abstract class Suite
{
    /// <summary>Every suite, those that are quick and close to the calls first.</summary>
    public static Suite[] All =>
    [
        new CPython(), new Redis(), new Postgres(), new StressNg(), new PythonLibraries(), new Erlang(), new LibUv(), new NodeJs(), new Servers(), new RdmaCore(),
    ];

    /// <summary>Name for the command.</summary>
    public abstract string Name { get; }

    /// <summary>What it is, in a few words.</summary>
    public abstract string About { get; }

    /// <summary>Debian packages it needs beyond those of <c>make setup</c>.</summary>
    public virtual string[] Packages => [];

    /// <summary>Fetches and builds what no package holds; once per working tree, outside every container.</summary>
    public virtual void Prepare()
    {
    }

    /// <summary>Its parts, each run on its own.</summary>
    public abstract IEnumerable<SuitePart> Parts();
}
