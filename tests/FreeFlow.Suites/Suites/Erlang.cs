using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using FreeFlow.Lab;
using FreeFlow.Suites.Reading;
using FreeFlow.Suites.Running;

namespace FreeFlow.Suites.Suites;

/// <summary>
/// Erlang/OTP's own tests of gen_tcp and sendfile, from its Debian source: a virtual machine whose schedulers arm one-shot registrations in an epoll set that another thread sleeps in.
/// </summary>
public sealed class Erlang : Suite
{
    private static readonly string[] s_suites = ["sendfile", "gen_tcp_api", "gen_tcp_echo", "gen_tcp_misc"];

    private string _compiled = "";

    /// <inheritdoc/>
    public override string Name => "erlang";

    /// <inheritdoc/>
    public override string About => "Erlang/OTP 25: gen_tcp, sendfile";

    /// <inheritdoc/>
    public override string[] Packages => ["erlang-base", "erlang-dev", "erlang-common-test", "erlang-inets", "erlang-crypto", "erlang-ssl", "erlang-tools", "erlang-parsetools", "erlang-runtime-tools", "dpkg-dev"];

    /// <inheritdoc/>
    public override void Prepare()
    {
        string tests = Path.Combine(Running.Packages.Source("erlang"), "lib", "kernel", "test");
        _compiled = Path.Combine(tests, "compiled");
        if (File.Exists(Path.Combine(_compiled, ".complete"))) return;
        // Without the hook of OTP's own build; and of the descriptors in /proc, which the tests count, without those that are not the program's.
        string script = $$"""
            mkdir -p {{_compiled}} && cd {{_compiled}} && cp {{string.Join(' ', s_suites.Select(suite => $"../{suite}_SUITE.erl"))}} ../kernel_test_*.[eh]rl . &&
            sed -i -e 's/{ct_hooks, *\[ts_install_cth\]},//' -e 's/{ok, length(FDs),/{ok, length([F || F <- FDs, list_to_integer(F) < 4096]),/' *.erl &&
            erlc *.erl && touch .complete
            """;
        _ = Place.Host.Run(new CommandLine("sh", "-c", script), TimeSpan.FromMinutes(5)).Succeeded("compiling Erlang's tests");
    }

    /// <inheritdoc/>
    public override IEnumerable<SuitePart> Parts() => s_suites.Select(suite => new SuitePart(suite,
        folder => new CommandLine("ct_run", "-noinput", "-no_auto_compile", "-dir", _compiled, "-suite", $"{suite}_SUITE", "-logdir", folder, "-ct_hooks", "cth_surefire", "[{path,\"results.xml\"}]"),
        (folder, _) => JUnit.Read(Directory.EnumerateFiles(folder, "results.xml", SearchOption.AllDirectories).FirstOrDefault(Path.Combine(folder, "results.xml"))))
    {
        Patience = TimeSpan.FromMinutes(10),
    });
}
