using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Net.Http;
using System.Text;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Locations.Etcd;

namespace FreeFlow.Locations.Tests.Servers;

/// <summary>What an administrator, or another node's program, does in etcd.</summary>
internal sealed class EtcdHand(EtcdOptions options) : IDisposable
{
    private readonly EtcdClient _client = new(options);
    private readonly HttpClient _http = new();

    public void Put(string key, string value, long lease = 0) => Wait(() => _client.PutAsync(new() { key = Bytes(key), value = Bytes(value), lease = lease }, CancellationToken.None));

    /// <summary>Many keys, in transactions.</summary>
    public void PutAll(IEnumerable<(string Key, string Value)> entries)
    {
        foreach ((string Key, string Value)[] batch in entries.Chunk(120))
        {
            Wait(() => _client.TxnAsync(new() { success = [.. batch.Select(entry => new Operation { request_put = new() { key = Bytes(entry.Key), value = Bytes(entry.Value) } })] }, CancellationToken.None));
        }
    }

    public void Delete(string key) => Wait(() => _client.DeleteAsync(new() { key = Bytes(key) }, CancellationToken.None));

    public void DeletePrefix(string prefix) => Wait(() => _client.DeleteAsync(new() { key = Bytes(prefix), range_end = Bytes(prefix[..^1] + (char)(prefix[^1] + 1)) }, CancellationToken.None));

    /// <summary>Null: there is no such key.</summary>
    public KeyValue? Entry(string key) => Wait(() => _client.RangeAsync(new() { key = Bytes(key) }, CancellationToken.None)).kvs.FirstOrDefault();

    public string? Get(string key) => Entry(key) is { } entry ? Encoding.UTF8.GetString(entry.value) : null;

    public string[] Keys(string prefix) =>
        [.. Wait(() => _client.RangeAsync(new() { key = Bytes(prefix), range_end = Bytes(prefix[..^1] + (char)(prefix[^1] + 1)) }, CancellationToken.None)).kvs.Select(entry => Encoding.UTF8.GetString(entry.key))];

    public long Revision => Wait(() => _client.RangeAsync(new() { key = Bytes("none") }, CancellationToken.None)).header.revision;

    public long Grant(long seconds) => Wait(() => _client.GrantAsync(seconds, CancellationToken.None)).ID;

    public void Revoke(long lease) => Wait(() => _client.RevokeAsync(lease, CancellationToken.None));

    /// <summary>Forgets every revision before the present one.</summary>
    public void Compact() => Call("v3/kv/compaction", $"{{\"revision\":\"{Revision}\",\"physical\":true}}");

    /// <summary>Any call of the gateway.</summary>
    public string Call(string path, string json, string? token = null)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, new Uri(options.Endpoints[0], path)) { Content = new StringContent(json) };
        if (token is not null) request.Headers.TryAddWithoutValidation("Authorization", token);
        using HttpResponseMessage response = _http.Send(request);
        string text = response.Content.ReadAsStringAsync().Result;
        return response.IsSuccessStatusCode ? text : throw new InvalidOperationException(text);
    }

    public void Dispose()
    {
        _client.Dispose();
        _http.Dispose();
    }

    public static string Base64(string text) => Convert.ToBase64String(Bytes(text));

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    // A cluster that has just lost its leader refuses what it is told until it has elected another one: the administrator tells it again.
    private static T Wait<T>(Func<Task<T>> call)
    {
        long began = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                return call().GetAwaiter().GetResult();
            }
            catch (EtcdException exception) when (exception.MayPass && Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(40))
            {
                Thread.Sleep(50);
            }
        }
    }
}
