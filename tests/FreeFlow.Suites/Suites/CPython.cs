using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using FreeFlow.Lab;
using FreeFlow.Suites.Reading;
using FreeFlow.Suites.Running;

namespace FreeFlow.Suites.Suites;

/// <summary>The network tests of CPython's own test suite.</summary>
public sealed class CPython : Suite
{
    private const string Python = "/usr/bin/python3";

    // The others hold pipes, socket pairs or connections too short for a ring to be sure.
    private static readonly string[] s_ring =
    [
        "test_socket", "test_ssl", "test_ftplib", "test_imaplib", "test_poplib", "test_xmlrpc", "test_smtplib", "test_socketserver", "test_httplib", "test_httpservers",
        "test_urllib2_localnet", "test_asynchat", "test_docxmlrpc", "test_asyncio.test_events", "test_asyncio.test_sendfile", "test_asyncio.test_sock_lowlevel",
        "test_asyncio.test_ssl", "test_asyncio.test_sslproto", "test_asyncio.test_streams", "test_multiprocessing_fork", "test_multiprocessing_spawn", "test_multiprocessing_forkserver",
    ];

    private static readonly string[] s_modules =
    [
        "test_socket", "test_ssl", "test_ftplib", "test_imaplib", "test_poplib", "test_xmlrpc", "test_smtplib", "test_selectors", "test_epoll", "test_poll", "test_select",
        "test_socketserver", "test_httplib", "test_httpservers", "test_urllib2_localnet", "test_asyncore", "test_asynchat", "test_smtpd", "test_telnetlib", "test_nntplib",
        "test_docxmlrpc", "test_robotparser",
    ];

    // test_asyncio is one module of a minute: cut by its files.
    private static readonly string[] s_asyncio =
        ["test_base_events", "test_events", "test_sendfile", "test_server", "test_sock_lowlevel", "test_ssl", "test_sslproto", "test_streams", "test_buffered_proto", "test_unix_events"];

    private static readonly string[] s_multiprocessing = ["*Listener*", "*Connection*", "*TestPoll*", "*Manager*", "*TestWait*", "*OtherTest*"];

    /// <inheritdoc/>
    public override string Name => "cpython";

    /// <inheritdoc/>
    public override string About => "CPython 3.11: socket, ssl, asyncio, selectors, the protocols' modules, multiprocessing connections";

    /// <inheritdoc/>
    public override string[] Packages => ["python3", "libpython3.11-testsuite"];

    /// <inheritdoc/>
    public override IEnumerable<SuitePart> Parts()
    {
        foreach (string file in s_asyncio) yield return Part($"test_asyncio.{file}", "test_asyncio", "-m", $"test.test_asyncio.{file}.*");
        yield return Part("test_asyncio.others", "test_asyncio", s_asyncio.SelectMany(file => new[] { "-i", $"test.test_asyncio.{file}.*" }).ToArray());
        // A stream of the VM's own (AF_VSOCK) waits for a host that does not answer.
        foreach (string module in s_modules) yield return Part(module, module, "-i", "*VSOCK*");
        foreach (string way in new[] { "fork", "spawn", "forkserver" })
            yield return Part($"test_multiprocessing_{way}", $"test_multiprocessing_{way}", s_multiprocessing.SelectMany(pattern => new[] { "-m", pattern }).ToArray());
    }

    // Started in the background of a shell, a program ignores SIGINT; tests that interrupt themselves would then never end.
    private static SuitePart Part(string name, string module, params string[] selection) =>
        new(name, folder => new CommandLine("env", ["--default-signal=INT", Python, "-m", "test", "-v", "-u", "network", "--junit-xml", Path.Combine(folder, "results.xml"), .. selection, module]),
            (folder, _) => JUnit.Read(Path.Combine(folder, "results.xml")))
        {
            NeedsRing = s_ring.Contains(name),
        };
}
