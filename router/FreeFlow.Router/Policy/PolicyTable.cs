using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Threading;
using FreeFlow.Locations;
using FreeFlow.Locations.Files;
using FreeFlow.Router.Observe;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Policy;

/// <summary>The policy that holds now: a watched file, and limits from the environment (RATE_LIMIT_&lt;container&gt;, bit/s). What is joined already keeps what it was given. Thread-safe.</summary>
internal sealed class PolicyTable : IDisposable
{
    private const string RateVariable = "RATE_LIMIT_";

    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<string, RateLimit> _byContainer = [];
    private readonly PolicyRule _otherwise = new("default", default, default, Transports.All);
    private PolicyFile _file = new();

    /// <param name="path">The file; null: none.</param>
    /// <param name="environment">Variables of the router.</param>
    /// <param name="log">One line for each change.</param>
    public PolicyTable(string? path, IDictionary environment, Log log)
    {
        foreach (DictionaryEntry variable in environment)
        {
            if (variable.Key is not string name || !name.StartsWith(RateVariable, StringComparison.Ordinal)) continue;
            if (!long.TryParse(variable.Value as string, NumberStyles.None, CultureInfo.InvariantCulture, out long bits) || bits == 0) throw new RouterException($"{name}={variable.Value}: give bits per second.");
            _byContainer[name[RateVariable.Length..]] = new RateLimit(bits);
        }
        Path = path;
        if (path is null) return;
        try { _file = PolicyFile.Parse(System.IO.File.ReadAllText(path)); }
        catch (Exception exception) when (exception is System.IO.IOException or UnauthorizedAccessException or FormatException) { throw new RouterException($"--policy {path}: {exception.Message}"); }
        string? problem = null;
        WatchedFile watched = new(path, text => { Take(text, log); problem = null; }, reason =>
        {
            if (reason != problem) log.Line($"policy {path}: {reason}; the last one goes on holding");
            problem = reason;
        });
        _ = System.Threading.Tasks.Task.Run(() => watched.RunAsync(_stop.Token));
    }

    /// <summary>The file; null if there is none.</summary>
    public string? Path { get; }

    /// <summary>In the order in which they are asked, the one for everything else last.</summary>
    public IEnumerable<PolicyRule> Rules => Volatile.Read(ref _file).Rules.Append(_otherwise);

    /// <summary>The rule for a connection, counted.</summary>
    public PolicyRule Decide(FourTuple addresses)
    {
        PolicyRule rule = Volatile.Read(ref _file).Rules.Find(rule => rule.Covers(addresses)) ?? _otherwise;
        rule.Count();
        return rule;
    }

    /// <summary>What limits what this end sends; null: nothing does.</summary>
    public RateLimit? LimitOf(ConnectionEnd end, string container) =>
        Volatile.Read(ref _file).Rates.TryGetValue(new Address(end.Facts.Addresses.Local.Address.Value), out RateLimit? limit) || _byContainer.TryGetValue(container, out limit) ? limit : null;

    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
    }

    private void Take(string text, Log log)
    {
        PolicyFile file = PolicyFile.Parse(text);
        Volatile.Write(ref _file, file);
        log.Line($"policy {Path}: {file.Rules.Count} rules, {file.Rates.Count} rates");
    }
}
