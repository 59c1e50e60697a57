using System.Collections.Generic;
using System.IO;
using System.Linq;
using FreeFlow.Lab;
using FreeFlow.Suites.Reading;
using FreeFlow.Suites.Running;

namespace FreeFlow.Suites.Suites;

/// <summary>Servers of many kinds, each used by clients that others wrote for it: what arrives, and every exit code, is as without FreeFlow.</summary>
public sealed class Servers : Suite
{
    private static readonly string[] s_parts = ["iperf3", "qperf", "tls", "rsync", "ssh", "http", "messages"];

    /// <inheritdoc/>
    public override string Name => "servers";

    /// <inheritdoc/>
    public override string About => "iperf3, qperf, OpenSSL, socat, rsync, OpenSSH, lighttpd, nginx, HAProxy, Varnish, Squid, Mosquitto, redis, memcached with their clients";

    /// <inheritdoc/>
    public override string[] Packages =>
    [
        "iperf3", "qperf", "openssl", "socat", "rsync", "openssh-server", "openssh-client", "lighttpd", "nginx-light", "haproxy", "varnish", "squid", "mosquitto", "mosquitto-clients",
        "redis-server", "redis-tools", "memcached", "apache2-utils", "nghttp2-client", "curl", "wget", "python3",
    ];

    private static string Script => Path.Combine(Artifacts.Root, "tests", "FreeFlow.Suites", "programs", "servers.sh");

    /// <inheritdoc/>
    public override IEnumerable<SuitePart> Parts() => s_parts.Select(part => new SuitePart(part, _ => new CommandLine(Script, part), (_, completed) => Lines.Tap(completed.Output)));
}
