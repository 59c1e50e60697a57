using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using FreeFlow.Lab;
using FreeFlow.Suites.Reading;
using FreeFlow.Suites.Running;

namespace FreeFlow.Suites.Suites;

/// <summary>Network libraries for Python whose Debian packages hold their tests.</summary>
public sealed class PythonLibraries : Suite
{
    private const string Library = "/usr/lib/python3/dist-packages";

    private static readonly string[] s_twisted = ["twisted.internet.test.test_tcp", "twisted.internet.test.test_tls", "twisted.internet", "twisted.protocols", "twisted.web", "twisted.spread", "twisted.mail", "twisted.conch"];

    /// <inheritdoc/>
    public override string Name => "python";

    /// <inheritdoc/>
    public override string About => "Twisted, Tornado, Trio, ZeroMQ, Cheroot, CherryPy, aiosmtpd: their own tests";

    /// <inheritdoc/>
    public override string[] Packages =>
        ["python3-twisted", "python3-tornado", "python3-trio", "python3-zmq", "python3-cheroot", "python3-cherrypy3", "python3-aiosmtpd", "python3-pytest", "python3-pytest-asyncio", "python3-pytest-mock", "python3-trustme"];

    /// <inheritdoc/>
    public override IEnumerable<SuitePart> Parts()
    {
        foreach (string package in s_twisted)
        {
            yield return new SuitePart(package, _ => new CommandLine("trial3", "--temp-directory=trial", package), (_, completed) => Lines.Trial(completed.Output))
            {
                Patience = TimeSpan.FromMinutes(15),
                NeedsRing = package.StartsWith("twisted.internet", StringComparison.Ordinal),
            };
        }
        foreach (string module in new[] { "iostream", "httpserver", "httpclient", "simple_httpclient", "tcpclient", "tcpserver", "websocket", "web", "netutil" })
            yield return Pytest($"tornado.{module}", $"tornado/test/{module}_test.py") with { NeedsRing = module is "iostream" or "httpserver" };
        yield return Pytest("trio", "trio") with { NeedsRing = false };
        yield return Pytest("zmq", "zmq/tests");
        yield return Pytest("cheroot", "cheroot/test");
        yield return Pytest("aiosmtpd", "aiosmtpd/tests");
        foreach (string module in new[] { "http", "conn", "core", "states" })
            yield return Pytest($"cherrypy.{module}", $"cherrypy/test/test_{module}.py") with { NeedsRing = false };
    }

    private static SuitePart Pytest(string name, params string[] paths) =>
        new(name, folder => new CommandLine("/usr/bin/python3", ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "junit_family=xunit1", $"--junitxml={folder}/results.xml", "--continue-on-collection-errors", .. paths.Select(path => Path.Combine(Library, path))]),
            (folder, _) => JUnit.Read(Path.Combine(folder, "results.xml")))
        {
            Patience = TimeSpan.FromMinutes(10),
        };
}
