using System;
using System.IO;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Locations;

namespace FreeFlow.Hunter.Kubernetes;

/// <summary>GETs from the API. Throws <see cref="KubernetesException"/> only.</summary>
internal sealed class KubernetesClient : IDisposable
{
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);
    private readonly KubernetesAccess _access;
    private readonly HttpClient _http;

    public KubernetesClient(KubernetesAccess access)
    {
        _access = access;
        try { _http = HttpConnections.Open(HttpConnections.Tls(access.Authorities, access.Certificate, access.Key), CallTimeout); }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException) { throw new HunterException($"Kubernetes: certificate or key: {exception.Message}"); }
    }

    /// <summary>Where the API is, for messages.</summary>
    public string Server => _access.Server.Authority;

    public void Dispose() => _http.Dispose();

    public async Task<ObjectList> ListAsync(string path, CancellationToken stop)
    {
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(CallTimeout * 3);
        try
        {
            using HttpResponseMessage response = await GetAsync(path, deadline.Token).ConfigureAwait(false);
            Stream body = await response.Content.ReadAsStreamAsync(deadline.Token).ConfigureAwait(false);
            return await JsonSerializer.DeserializeAsync(body, KubernetesJson.Default.ObjectList, deadline.Token).ConfigureAwait(false) ?? throw new JsonException("an empty list");
        }
        catch (Exception exception) when (IsFailure(exception, stop))
        {
            throw Failed(exception);
        }
    }

    /// <summary>Opens a watch; its lines come by <see cref="ReadLineAsync"/>.</summary>
    public async Task<(HttpResponseMessage Response, LineReader Lines)> WatchAsync(string path, CancellationToken stop)
    {
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(CallTimeout);
        try
        {
            HttpResponseMessage response = await GetAsync(path, deadline.Token).ConfigureAwait(false);
            return (response, new(await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false), longest: 16 << 20));
        }
        catch (Exception exception) when (IsFailure(exception, stop))
        {
            throw Failed(exception);
        }
    }

    /// <summary>Null: the server has ended the watch, as it does every few minutes.</summary>
    public async ValueTask<WatchLine?> ReadLineAsync(LineReader lines, CancellationToken deadline, CancellationToken stop)
    {
        try
        {
            return await lines.ReadAsync(deadline).ConfigureAwait(false) is { } line
                ? JsonSerializer.Deserialize(line.Span, KubernetesJson.Default.WatchLine) ?? throw new JsonException("an empty line")
                : null;
        }
        catch (Exception exception) when (IsFailure(exception, stop))
        {
            throw Failed(exception);
        }
    }

    private async Task<HttpResponseMessage> GetAsync(string path, CancellationToken stop)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, new Uri(_access.Server, path));
        string? token = _access.TokenFile is null ? _access.Token : (await File.ReadAllTextAsync(_access.TokenFile, stop).ConfigureAwait(false)).Trim();
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        request.Headers.Accept.ParseAdd("application/json");
        HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop).ConfigureAwait(false);
        if (response.IsSuccessStatusCode) return response;
        using (response)
        {
            int code = (int)response.StatusCode;
            string? said = null;
            try { said = JsonSerializer.Deserialize(await response.Content.ReadAsByteArrayAsync(stop).ConfigureAwait(false), KubernetesJson.Default.Failure)?.Message; }
            catch (JsonException) { /* Not the API's own words. */ }
            throw new KubernetesException($"HTTP {code}{(said is null ? "" : $": {said}")}", code);
        }
    }

    private static bool IsFailure(Exception exception, CancellationToken stop) =>
        exception is HttpRequestException or IOException or JsonException or UnauthorizedAccessException || exception is OperationCanceledException && !stop.IsCancellationRequested;

    private static KubernetesException Failed(Exception exception) => new(HttpConnections.Reason(exception), 0);
}
