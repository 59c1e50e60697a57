using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading;
using System.Threading.Tasks;

namespace FreeFlow.Locations.Etcd;

/// <summary>etcd's API v3 over its JSON gateway, and by gRPC what is large. A call goes to the endpoint that answered last and then to the others;
/// it throws <see cref="EtcdException"/> when none would do it.</summary>
public sealed class EtcdClient : IDisposable
{
    private readonly EtcdOptions _options;
    private volatile HttpClient _http;
    private volatile int _preferred;
    private volatile string? _token;

    /// <summary>Throws <see cref="IOException"/> or CryptographicException for TLS files that are missing or wrong.</summary>
    public EtcdClient(EtcdOptions options)
    {
        _options = options;
        _http = Open();
        _preferred = Random.Shared.Next(options.Endpoints.Count);
    }

    /// <summary>The endpoint that is asked first.</summary>
    public Uri Endpoint => _options.Endpoints[_preferred];

    internal EtcdOptions Options => _options;

    public void Dispose() => _http.Dispose();

    /// <summary>Reads the TLS files again: connections that are made from now on go by them. Those there are, the watch above all, go on. Throws as the constructor does, and then nothing has changed.</summary>
    public void ReadCertificates()
    {
        // Not disposed: calls may be under way on it. Its connections end when they have been idle for a while.
        if (_options.AuthorityFile is not null || _options.CertificateFile is not null) _http = Open();
    }

    internal Task<RangeResponse> RangeAsync(RangeRequest request, CancellationToken stop) =>
        CallAsync("v3/kv/range", request, EtcdJson.Default.RangeRequest, EtcdJson.Default.RangeResponse, stop);

    /// <summary>The same by gRPC, for which etcd needs a fraction of the time that JSON costs it. Null: it is not to be had so at the moment
    /// (something before etcd that speaks HTTP/1.1 only, an old token, an endpoint that has gone). <see cref="RangeAsync"/> knows what to do then, or says what is wrong.</summary>
    internal async Task<RangeResponse?> RangeByGrpcAsync(RangeRequest request, CancellationToken stop)
    {
        Uri endpoint = Endpoint;
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(_options.CallTimeout);
        try
        {
            RangeResponse answer = await GrpcCall.AskAsync(_http, new(endpoint, "etcdserverpb.KV/Range"), _token, RangeProtobuf.Write(request), RangeProtobuf.Read, deadline.Token).ConfigureAwait(false);
            // An empty message can be read, too, but is not etcd's.
            return answer.header.revision > 0 ? answer : null;
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or InvalidDataException)
        {
            return null;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            Avoid(endpoint);
            return null;
        }
    }

    internal Task<PutResponse> PutAsync(PutRequest request, CancellationToken stop) =>
        CallAsync("v3/kv/put", request, EtcdJson.Default.PutRequest, EtcdJson.Default.PutResponse, stop);

    internal Task<DeleteResponse> DeleteAsync(DeleteRequest request, CancellationToken stop) =>
        CallAsync("v3/kv/deleterange", request, EtcdJson.Default.DeleteRequest, EtcdJson.Default.DeleteResponse, stop);

    internal Task<TxnResponse> TxnAsync(TxnRequest request, CancellationToken stop) =>
        CallAsync("v3/kv/txn", request, EtcdJson.Default.TxnRequest, EtcdJson.Default.TxnResponse, stop);

    internal Task<LeaseResponse> GrantAsync(long seconds, CancellationToken stop) =>
        CallAsync("v3/lease/grant", new() { TTL = seconds }, EtcdJson.Default.LeaseGrantRequest, EtcdJson.Default.LeaseResponse, stop);

    internal Task<LeaseResponse> RevokeAsync(long lease, CancellationToken stop) =>
        CallAsync("v3/lease/revoke", new() { ID = lease }, EtcdJson.Default.LeaseRequest, EtcdJson.Default.LeaseResponse, stop);

    /// <summary>False: etcd does not know the lease any more.</summary>
    internal async Task<bool> KeepAliveAsync(long lease, CancellationToken stop)
    {
        LeaseKeepAliveResponse answer = await CallAsync("v3/lease/keepalive", new() { ID = lease }, EtcdJson.Default.LeaseRequest, EtcdJson.Default.LeaseKeepAliveResponse, stop).ConfigureAwait(false);
        if (answer.error is { } error) throw new EtcdException($"{Endpoint.Authority}: {error.message}", error.grpc_code);
        return answer.result is { TTL: > 0 };
    }

    /// <summary>Opens one stream with a watch for each range, from its own revision on. The caller reads it with <see cref="EtcdWatch.ReadAsync"/>.</summary>
    internal async Task<EtcdWatch> WatchAsync(IReadOnlyList<KeyRange> ranges, CancellationToken stop)
    {
        using MemoryStream body = new();
        foreach (KeyRange range in ranges)
        {
            WatchRequest request = new() { create_request = new() { key = range.Key, range_end = range.End, start_revision = range.Next } };
            JsonSerializer.Serialize(body, request, EtcdJson.Default.WatchRequest);
        }
        Uri endpoint = Endpoint;
        try
        {
            HttpResponseMessage response = await ExchangeAsync(endpoint, "v3/watch", body.ToArray(), HttpCompletionOption.ResponseHeadersRead, stop).ConfigureAwait(false);
            return new(response, await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false), endpoint);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            throw new EtcdException($"{endpoint.Authority}: {HttpConnections.Reason(exception)}", EtcdException.Unavailable);
        }
    }

    /// <summary>Asks exactly this endpoint for anything; throws if it does not answer in time.</summary>
    internal async Task ProbeAsync(Uri endpoint, byte[] key, CancellationToken stop)
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(new() { key = key, serializable = true, keys_only = true }, EtcdJson.Default.RangeRequest);
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(_options.CallTimeout);
        try
        {
            (await ExchangeAsync(endpoint, "v3/kv/range", body, HttpCompletionOption.ResponseContentRead, deadline.Token).ConfigureAwait(false)).Dispose();
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException || exception is OperationCanceledException && !stop.IsCancellationRequested)
        {
            throw new EtcdException($"{endpoint.Authority}: {HttpConnections.Reason(exception)}", EtcdException.Unavailable);
        }
    }

    /// <summary>The endpoint is of no use at the moment: the next call begins with another.</summary>
    internal void Avoid(Uri endpoint)
    {
        int index = _preferred;
        if (_options.Endpoints[index] == endpoint) Interlocked.CompareExchange(ref _preferred, (index + 1) % _options.Endpoints.Count, index);
    }

    private async Task<TAnswer> CallAsync<TRequest, TAnswer>(string path, TRequest request, JsonTypeInfo<TRequest> requestType, JsonTypeInfo<TAnswer> answerType, CancellationToken stop)
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(request, requestType);
        EtcdException? last = null;
        for (int attempt = 0; attempt < _options.Endpoints.Count; attempt++)
        {
            Uri endpoint = Endpoint;
            using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
            deadline.CancelAfter(_options.CallTimeout);
            try
            {
                using HttpResponseMessage response = await ExchangeAsync(endpoint, path, body, HttpCompletionOption.ResponseHeadersRead, deadline.Token).ConfigureAwait(false);
                Stream answer = await response.Content.ReadAsStreamAsync(deadline.Token).ConfigureAwait(false);
                return await JsonSerializer.DeserializeAsync(answer, answerType, deadline.Token).ConfigureAwait(false) ?? throw new JsonException("empty answer");
            }
            catch (EtcdException exception) when (exception.MayPass)
            {
                last = exception;
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException or JsonException || exception is OperationCanceledException && !stop.IsCancellationRequested)
            {
                last = new($"{endpoint.Authority}: {HttpConnections.Reason(exception)}", EtcdException.Unavailable);
            }
            Avoid(endpoint);
        }
        throw last!;
    }

    // One request to one endpoint, with a fresh token if etcd does not like the one we have.
    private async Task<HttpResponseMessage> ExchangeAsync(Uri endpoint, string path, byte[] body, HttpCompletionOption completion, CancellationToken stop)
    {
        for (int attempt = 0; ; attempt++)
        {
            string? token = _options.User is null ? null : _token ?? await AuthenticateAsync(endpoint, stop).ConfigureAwait(false);
            HttpResponseMessage response = await SendAsync(endpoint, path, body, completion, token, stop).ConfigureAwait(false);
            if (response.IsSuccessStatusCode) return response;
            using (response)
            {
                EtcdException exception = await ErrorOf(endpoint, response, stop).ConfigureAwait(false);
                // "invalid auth token" (16) and "revision of auth store is old" (3, 9): users or tokens have changed.
                bool token_is_old = token is not null && (exception.Code == EtcdException.Unauthenticated || exception.Message.Contains("auth", StringComparison.Ordinal));
                if (!token_is_old || attempt > 0) throw exception;
                _token = null;
            }
        }
    }

    private async Task<HttpResponseMessage> SendAsync(Uri endpoint, string path, byte[] body, HttpCompletionOption completion, string? token, CancellationToken stop)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, new Uri(endpoint, path)) { Content = new ByteArrayContent(body), Version = HttpVersion.Version11 };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (token is not null) request.Headers.TryAddWithoutValidation("Authorization", token);
        // A member that has lost its leader ends its watches instead of keeping them silent (clientv3.WithRequireLeader).
        request.Headers.TryAddWithoutValidation("Grpc-Metadata-hasleader", "true");
        return await _http.SendAsync(request, completion, stop).ConfigureAwait(false);
    }

    private async Task<string> AuthenticateAsync(Uri endpoint, CancellationToken stop)
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(new() { name = _options.User!, password = _options.Password ?? "" }, EtcdJson.Default.AuthenticateRequest);
        using HttpResponseMessage response = await SendAsync(endpoint, "v3/auth/authenticate", body, HttpCompletionOption.ResponseContentRead, null, stop).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode) throw await ErrorOf(endpoint, response, stop).ConfigureAwait(false);
        AuthenticateResponse? answer = JsonSerializer.Deserialize(await response.Content.ReadAsByteArrayAsync(stop).ConfigureAwait(false), EtcdJson.Default.AuthenticateResponse);
        return _token = answer?.token ?? "";
    }

    private static async Task<EtcdException> ErrorOf(Uri endpoint, HttpResponseMessage response, CancellationToken stop)
    {
        byte[] body = await response.Content.ReadAsByteArrayAsync(stop).ConfigureAwait(false);
        try
        {
            if (JsonSerializer.Deserialize(body, EtcdJson.Default.CallError) is { error: { } text } error) return new($"{endpoint.Authority}: {text}", error.code);
        }
        catch (JsonException)
        {
            // Not etcd's own words: a proxy's, or an old server's.
        }
        return new($"{endpoint.Authority}: HTTP {(int)response.StatusCode} {Encoding.ASCII.GetString(body.AsSpan(0, Math.Min(80, body.Length)))}".TrimEnd(), EtcdException.Unavailable);
    }

    private HttpClient Open() => HttpConnections.Open(HttpConnections.Tls(Text(_options.AuthorityFile), Text(_options.CertificateFile), Text(_options.KeyFile)), _options.CallTimeout);

    private static string? Text(string? path) => path is null ? null : File.ReadAllText(path);
}
