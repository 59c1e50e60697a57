using System;
using System.Collections.Generic;
using System.Net.Http;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using FreeFlow.Locations;

namespace FreeFlow.Hunter.Kubernetes;

/// <summary>Lists a kind of objects, then watches from the list's resourceVersion; goes on from the last one seen after a disconnection, and lists again
/// only when that is too old (kubernetes.io, "Efficient detection of changes").</summary>
/// <param name="client">The API.</param>
/// <param name="path">Of the collection, for example api/v1/pods.</param>
/// <param name="query">Selectors, without '?'; may be empty.</param>
/// <param name="what">For messages.</param>
/// <param name="log">One line for each change of state.</param>
internal sealed class ResourceFollower(KubernetesClient client, string path, string query, string what, Action<string> log)
{
    private const int PageSize = 500;
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);
    private string? _version;
    private string? _problem;
    private bool _said;

    /// <param name="listed">Gets the whole picture.</param>
    /// <param name="changed">Gets each change after it; true: the object is gone.</param>
    /// <param name="stop">Ends it.</param>
    public async Task RunAsync(Action<List<Resource>> listed, Action<Resource, bool> changed, CancellationToken stop)
    {
        for (int failures = 0; !stop.IsCancellationRequested;)
        {
            try
            {
                if (_version is null)
                {
                    List<Resource> items = await ListAsync(stop).ConfigureAwait(false);
                    listed(items);
                    if (!_said) log($"Kubernetes at {client.Server}: {items.Count} {what}");
                    _said = true;
                }
                await WatchAsync(changed, () => { failures = 0; Solved(); }, stop).ConfigureAwait(false);
            }
            catch (KubernetesException exception)
            {
                if (exception.IsGone) _version = null; else Report(exception.Message);
                TimeSpan pause = TimeSpan.FromMilliseconds(Math.Min(100 << Math.Min(failures++, 10), LongestPause.TotalMilliseconds) * (0.5 + Random.Shared.NextDouble() / 2));
                await Task.Delay(pause, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException)
            {
                // The end.
            }
        }
    }

    private async Task<List<Resource>> ListAsync(CancellationToken stop)
    {
        List<Resource> items = [];
        string? next = null;
        while (true)
        {
            ObjectList page = await client.ListAsync($"{path}?{Query}limit={PageSize}{(next is null ? "" : $"&continue={Uri.EscapeDataString(next)}")}", stop).ConfigureAwait(false);
            items.AddRange(page.Items ?? []);
            next = page.Metadata.Continue;
            if (!string.IsNullOrEmpty(next)) continue;
            _version = page.Metadata.ResourceVersion ?? "0";
            return items;
        }
    }

    private async Task WatchAsync(Action<Resource, bool> changed, Action alive, CancellationToken stop)
    {
        // The server ends the watch after this time; one that has not done so a minute later is dead.
        int seconds = Random.Shared.Next(240, 300);
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(TimeSpan.FromSeconds(seconds + 60));
        (HttpResponseMessage response, LineReader lines) = await client.WatchAsync(
            $"{path}?{Query}watch=1&allowWatchBookmarks=true&timeoutSeconds={seconds}&resourceVersion={Uri.EscapeDataString(_version!)}", stop).ConfigureAwait(false);
        using (response)
        {
            // A server that is about to say 410 says so at once.
            bool first = true;
            while (await client.ReadLineAsync(lines, deadline.Token, stop).ConfigureAwait(false) is { } line)
            {
                Take(line, changed);
                if (first) alive();
                first = false;
            }
            if (first) alive();
        }
    }

    private void Take(WatchLine line, Action<Resource, bool> changed)
    {
        try
        {
            if (line.Type == "ERROR")
            {
                Failure? failure = line.Object.Deserialize(KubernetesJson.Default.Failure);
                throw new KubernetesException(failure?.Message ?? "the watch failed", failure?.Code ?? 0);
            }
            Resource? resource = line.Object.Deserialize(KubernetesJson.Default.Resource);
            if (resource?.Metadata.ResourceVersion is not { Length: > 0 } version) return;
            if (line.Type is "ADDED" or "MODIFIED" or "DELETED") changed(resource, line.Type == "DELETED");
            _version = version;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new KubernetesException($"an object that cannot be read: {exception.Message}", 410);
        }
    }

    private string Query => query.Length == 0 ? "" : query + "&";

    private void Report(string problem)
    {
        if (_problem is null) log($"Kubernetes at {client.Server} does not give {what}{(_version is null ? "" : "; what is known stays")}: {problem}");
        _problem = problem;
    }

    private void Solved()
    {
        if (_problem is not null) log($"Kubernetes at {client.Server} answers again");
        _problem = null;
    }
}
