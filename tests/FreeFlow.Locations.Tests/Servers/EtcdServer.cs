using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Text;
using System.Threading;
using FreeFlow.Locations.Etcd;

namespace FreeFlow.Locations.Tests.Servers;

/// <summary>One member of etcd, Debian's, on loopback ports with a folder of its own.</summary>
internal sealed class EtcdServer : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly int _client = LoopbackPort.Next(), _peer = LoopbackPort.Next();
    private readonly string[] _more;
    private readonly string _scheme, _name;
    private string _cluster;
    private TestProcess? _process;

    /// <param name="tls">--cert-file and so on; null: plain http.</param>
    /// <param name="name">In its cluster.</param>
    public EtcdServer(string[]? tls = null, string name = "one")
    {
        (_more, _scheme, _name) = (tls ?? [], tls is null ? "http" : "https", name);
        _cluster = Peer;
    }

    public string Url => $"{_scheme}://127.0.0.1:{_client}";

    private string Peer => $"{_name}=http://127.0.0.1:{_peer}";

    /// <summary>A member that answers already.</summary>
    public static EtcdServer Run() => RunCluster(1)[0];

    /// <summary>Several that know each other.</summary>
    public static EtcdServer[] RunCluster(int count)
    {
        EtcdServer[] servers = [.. Enumerable.Range(1, count).Select(number => new EtcdServer(name: $"member{number}"))];
        foreach (EtcdServer server in servers) server._cluster = string.Join(',', servers.Select(other => other.Peer));
        try
        {
            foreach (EtcdServer server in servers) server.Start();
            foreach (EtcdServer server in servers) server.WaitReady();
            return servers;
        }
        catch
        {
            // The test that fails here must not make another one fail.
            foreach (EtcdServer server in servers) server.Dispose();
            throw;
        }
    }

    public void Start() => _process = new("etcd", [
        "--name", _name, "--data-dir", _folder.File("data"), "--log-level", "error", "--logger", "zap",
        "--listen-client-urls", Url, "--advertise-client-urls", Url,
        "--listen-peer-urls", $"http://127.0.0.1:{_peer}", "--initial-advertise-peer-urls", $"http://127.0.0.1:{_peer}", "--initial-cluster", _cluster,
        .. _more]);

    public void Signal(int signal) => _process!.Signal(signal);

    /// <summary>As a power cut does.</summary>
    public void Kill()
    {
        _process?.Dispose();
        _process = null;
    }

    /// <summary>Its data is lost.</summary>
    public void Wipe() => Directory.Delete(_folder.File("data"), recursive: true);

    public void WaitReady(EtcdOptions? options = null)
    {
        using EtcdClient client = new(options ?? Options());
        Eventually.True(() =>
        {
            if (_process!.HasExited) throw new InvalidOperationException($"etcd has ended: {_process.Output}");
            try { client.RangeAsync(new() { key = "ready"u8.ToArray() }, CancellationToken.None).Wait(); return true; }
            catch (AggregateException exception) when (exception.InnerException is EtcdException error)
            {
                // Not a matter of readiness: it answers.
                return error.Code is 3 or 7 or 16;
            }
        }, "etcd answers", () => _process!.Output);
    }

    /// <summary>Impatient: a test does not want to wait for a human's patience.</summary>
    public EtcdOptions Options(params EtcdServer[] others) => new()
    {
        Endpoints = [.. others.Prepend(this).Select(server => new Uri(server.Url + "/"))],
        CallTimeout = TimeSpan.FromSeconds(2),
        ProbeInterval = TimeSpan.FromSeconds(1),
        LongestPause = TimeSpan.FromMilliseconds(500),
    };

    public void Dispose()
    {
        Kill();
        _folder.Dispose();
    }
}
