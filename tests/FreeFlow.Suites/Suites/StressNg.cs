using System;
using System.Collections.Generic;
using System.Linq;
using FreeFlow.Lab;
using FreeFlow.Suites.Running;

namespace FreeFlow.Suites.Suites;

/// <summary>stress-ng's socket stressors, each verifying what it receives: a stressor is a test.</summary>
public sealed class StressNg : Suite
{
    private static readonly string[] s_with =
    [
        .. new[] { "send", "sendmsg", "sendmmsg" }.SelectMany(way => new[] { "ipv4", "ipv6" }.Select(domain => $"--sock 2 --sock-opts {way} --sock-domain {domain}")),
        "--sock 2 --sock-opts random", "--sock 1 --sock-nodelay", "--sock 1 --sock-type stream --sock-protocol tcp",
        "--sockmany 2", "--sockabuse 2",
    ];

    // Zero copy is the kernel's; the epoll stressor's connections end before they are joined; the others have none.
    private static readonly string[] s_without =
        ["--sock 1 --sock-zerocopy", "--epoll 2", "--sockdiag 1", "--sockfd 2", "--sockpair 2", "--poll 2", "--sendfile 2", "--splice 2", "--tee 1", "--vm-splice 1", "--dup 2", "--fork 2", "--vfork 2", "--pipe 2"];

    /// <inheritdoc/>
    public override string Name => "stress-ng";

    /// <inheritdoc/>
    public override string About => "stress-ng: socket, epoll, poll, sendfile and splice stressors with --verify";

    /// <inheritdoc/>
    public override string[] Packages => ["stress-ng"];

    /// <inheritdoc/>
    public override IEnumerable<SuitePart> Parts() => s_with.Select(options => Part(options, true)).Concat(s_without.Select(options => Part(options, false)));

    private static SuitePart Part(string options, bool ring) =>
        new(options.Replace("--", "", StringComparison.Ordinal).Replace(' ', '-'),
            _ => new CommandLine("stress-ng", [.. options.Split(' '), "--verify", "--timeout", "3", "--metrics-brief"]),
            (_, completed) => new Dictionary<string, Outcome>
            {
                // stress-ng(1): 0 success, 2 the stressor failed, 3 or 4 it cannot run here.
                [options] = completed.ExitCode switch { 0 => Outcome.Passed, 3 or 4 => Outcome.Skipped, _ => Outcome.Failed },
            })
        {
            NeedsRing = ring,
            Patience = TimeSpan.FromMinutes(2),
        };
}
