using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using FreeFlow.Lab;
using FreeFlow.Suites.Reading;
using FreeFlow.Suites.Running;

namespace FreeFlow.Suites.Suites;

/// <summary>Node.js' own tests of everything that stands on sockets, from its Debian source: an event loop in C, descriptors passed between processes, TLS in user space.</summary>
public sealed class NodeJs : Suite
{
    // Beginnings of the tests' names. Some of the longer parts wait for time-outs of the tests themselves.
    private static readonly string[] s_parts = ["net", "tls", "http", "https", "http2", "cluster", "child-process", "stream"];

    private string _source = "";

    /// <inheritdoc/>
    public override string Name => "node";

    /// <inheritdoc/>
    public override string About => "Node.js: net, tls, http, https, http2, cluster, child processes, streams";

    /// <inheritdoc/>
    public override string[] Packages => ["nodejs", "dpkg-dev"];

    /// <inheritdoc/>
    public override void Prepare()
    {
        _source = Running.Packages.Source("nodejs");
        // Its runner looks for a node that was built here.
        string link = Path.Combine(_source, "node");
        if (!File.Exists(link)) File.CreateSymbolicLink(link, "/usr/bin/node");
    }

    /// <inheritdoc/>
    public override IEnumerable<SuitePart> Parts() => s_parts.Select(part => new SuitePart(part,
        folder => new CommandLine("/usr/bin/python3", ["tools/test.py", "--shell", "/usr/bin/node", "-t", "20", "-p", "tap", "-j", "2", $"parallel/test-{part}-*"])
            .In(_source).With("NODE_TEST_DIR", folder),
        (_, completed) => Lines.Tap(completed.Output))
    {
        Patience = TimeSpan.FromMinutes(15),
        // In a cluster the first process accepts and passes the descriptor on, which leaves the connection to the kernel.
        NeedsRing = part is not ("stream" or "child-process" or "cluster"),
    });
}
