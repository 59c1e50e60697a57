using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using FreeFlow.Lab;

namespace FreeFlow.Bench.Scale;

/// <summary>A real etcd of one member on this machine, and a client of its JSON gateway.</summary>
internal sealed class EtcdProcess : IDisposable
{
    private const int KeysPerTransaction = 120;

    private readonly LabProcess _process;
    private readonly HttpClient _client;

    internal EtcdProcess(string folder)
    {
        (int client, int peer) = (FreePort(), FreePort());
        Url = $"http://127.0.0.1:{client}";
        string own = $"http://127.0.0.1:{peer}";
        _process = Place.Host.Start(new CommandLine("etcd", "--name", "scale", "--data-dir", Path.Combine(folder, "etcd"), "--log-level", "error", "--logger", "zap", "--listen-client-urls", Url,
            "--advertise-client-urls", Url, "--listen-peer-urls", own, "--initial-advertise-peer-urls", own, "--initial-cluster", $"scale={own}"));
        _client = new HttpClient { BaseAddress = new Uri(Url) };
        if (!Waiting.Until(Answers, TimeSpan.FromSeconds(15))) throw new LabException($"etcd does not answer: {(_process.Output + _process.Error).Trim()}");
    }

    internal string Url { get; }

    internal LabProcess Process => _process;

    internal void PutAll(IEnumerable<(string Key, string Value)> entries)
    {
        foreach ((string Key, string Value)[] batch in entries.Chunk(KeysPerTransaction))
        {
            Call("v3/kv/txn", new { success = batch.Select(entry => new { request_put = new { key = Base64(entry.Key), value = Base64(entry.Value) } }) });
        }
    }

    internal void Put(string key, string value) => Call("v3/kv/put", new { key = Base64(key), value = Base64(value) });

    internal void Delete(string key) => Call("v3/kv/deleterange", new { key = Base64(key) });

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        _process.Dispose();
    }

    private bool Answers()
    {
        try
        {
            Call("v3/kv/range", new { key = Base64("ready") });
            return true;
        }
        catch (HttpRequestException) when (!_process.HasExited)
        {
            return false;
        }
    }

    private void Call<T>(string path, T body)
    {
        using HttpResponseMessage response = _client.PostAsJsonAsync(path, body).GetAwaiter().GetResult();
        response.EnsureSuccessStatusCode();
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static int FreePort()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
