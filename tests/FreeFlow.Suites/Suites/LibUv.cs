using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using FreeFlow.Lab;
using FreeFlow.Suites.Reading;
using FreeFlow.Suites.Running;

namespace FreeFlow.Suites.Suites;

/// <summary>
/// libuv's own tests, from Debian's sources: this release's libuv, and the next one's, whose every loop makes an io_uring to change its
/// epoll set by.
/// </summary>
public sealed class LibUv : Suite
{
    private const string Build = """
        set -e
        # Runs at the same time must not meet in these names: each has a folder of its own.
        grep -rl '"/tmp/uv-test' test | xargs sed -i 's#"/tmp/uv-test#"uv-test#'
        mkdir -p build && cd build
        cmake -DCMAKE_BUILD_TYPE=Release -DLIBUV_BUILD_TESTS=ON ..
        make uv_run_tests
        """;

    private static readonly (string Part, string? Release)[] s_versions = [("epoll", null), ("io_uring", "trixie")];

    private readonly Dictionary<string, string> _sources = [];

    /// <inheritdoc/>
    public override string Name => "libuv";

    /// <inheritdoc/>
    public override string About => "libuv 1.44 and 1.50: loops with epoll, and with an io_uring that changes the epoll set";

    /// <inheritdoc/>
    public override string[] Packages => ["dpkg-dev", "cmake", "make", "gcc"];

    /// <inheritdoc/>
    public override void Prepare()
    {
        foreach ((string part, string? release) in s_versions)
        {
            string source = _sources[part] = Running.Packages.Source("libuv1", release);
            if (File.Exists(Path.Combine(source, "build", "uv_run_tests"))) continue;
            _ = Place.Host.Run(new CommandLine("sh", "-c", Build).In(source), TimeSpan.FromMinutes(20)).Succeeded("build of libuv's tests");
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<SuitePart> Parts() => s_versions.Select(version => new SuitePart(version.Part, folder =>
    {
        // They read files beside them, and write there.
        string script = $"cp -r {_sources[version.Part]}/. . && exec build/uv_run_tests";
        return new CommandLine("sh", "-c", script).With("UV_RUN_AS_ROOT", "1").With("UV_TEST_TIMEOUT_MULTIPLIER", "4");
    }, (_, completed) => Lines.Tap(completed.Output))
    {
        Patience = TimeSpan.FromMinutes(15),
    });
}
