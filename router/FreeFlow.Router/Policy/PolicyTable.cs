using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Threading;
using FreeFlow.Locations;
using FreeFlow.Locations.Files;
using FreeFlow.Locations.Identities;
using FreeFlow.Router.Logging;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Policy;

/// <summary>The policy that holds now: a watched file, and limits from the environment (RATE_LIMIT_&lt;container&gt;, bit/s). What is joined already keeps what it was given. Thread-safe.</summary>
internal sealed class PolicyTable : IDisposable
{
    private const string RateVariable = "RATE_LIMIT_";

    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<string, RateLimit> _byContainer = [];
    private readonly PolicyRule _otherwise = new("default", new Selector(default, []), new Selector(default, []), Transports.All);
    private readonly ILocations? _locations;
    private PolicyFile _file = new();
    private string? _text;

    /// <param name="path">The file; null: none.</param>
    /// <param name="environment">Variables of the router.</param>
    /// <param name="log">One line for each change.</param>
    /// <param name="locations">Who says who has an address; null: nobody.</param>
    public PolicyTable(string? path, IDictionary environment, Log log, ILocations? locations = null)
    {
        _locations = locations;
        foreach (DictionaryEntry variable in environment)
        {
            if (variable.Key is not string name || !name.StartsWith(RateVariable, StringComparison.Ordinal)) continue;
            if (!long.TryParse(variable.Value as string, NumberStyles.None, CultureInfo.InvariantCulture, out long bits) || bits == 0) throw new RouterException($"{name}={variable.Value}: give bits per second.");
            _byContainer[name[RateVariable.Length..]] = new RateLimit(bits);
        }
        Path = path;
        if (path is null) return;
        try { _file = PolicyFile.Parse(_text = System.IO.File.ReadAllText(path)); }
        catch (Exception exception) when (exception is System.IO.IOException or UnauthorizedAccessException or FormatException) { throw new RouterException($"--policy {path}: {exception.Message}"); }
        FollowIdentities(_file, log);
        string? problem = null;
        WatchedFile watched = new(path, text =>
        {
            if (text != _text || problem is not null) Take(text, log);
            problem = null;
        }, reason =>
        {
            if (reason != problem) log.PolicyStays(path, reason);
            problem = reason;
        });
        _ = System.Threading.Tasks.Task.Run(() => watched.RunAsync(_stop.Token));
    }

    /// <summary>The file; null if there is none.</summary>
    public string? Path { get; }

    /// <summary>In the order in which they are asked, the one for everything else last.</summary>
    public IEnumerable<PolicyRule> Rules => Volatile.Read(ref _file).Rules.Append(_otherwise);

    /// <summary>Another file holds.</summary>
    public event Action? Changed;

    /// <summary>As <see cref="Look"/>; a rule that decides is counted.</summary>
    public (Verdict Verdict, PolicyRule Rule) Decide(FourTuple addresses, Transports ways)
    {
        (Verdict verdict, PolicyRule rule) = Look(addresses, ways);
        if (verdict != Verdict.Open) rule.Count();
        return (verdict, rule);
    }

    /// <summary>Whether a connection may go one of these ways, and by which rule. <see cref="Verdict.Open"/>, with a rule that goes by what is not known, only if that makes a difference.</summary>
    public (Verdict Verdict, PolicyRule Rule) Look(FourTuple addresses, Transports ways)
    {
        PolicyFile file = Volatile.Read(ref _file);
        (Address Address, Identity? Who) local = (new(addresses.Local.Address.Value), null), remote = (new(addresses.Remote.Address.Value), null);
        if (file.NeedsIdentities) (local.Who, remote.Who) = (_locations?.IdentityOf(local.Address), _locations?.IdentityOf(remote.Address));
        PolicyRule decider = _otherwise;
        PolicyRule? doubtful = null;
        bool mayAllow = false, mayDeny = false;
        foreach (PolicyRule rule in file.Rules)
        {
            Match match = rule.Covers(local, remote);
            if (match == Match.No) continue;
            if (match == Match.Yes) { decider = rule; break; }
            doubtful ??= rule;
            if ((rule.Over & ways) != 0) mayAllow = true; else mayDeny = true;
        }
        bool allowed = (decider.Over & ways) != 0;
        if (doubtful is not null && (allowed ? mayDeny : mayAllow)) return (Verdict.Open, doubtful);
        return (allowed ? Verdict.Allowed : Verdict.Denied, decider);
    }

    /// <summary>How fast this end may send, on this host or to others; null: as it likes. On one host what is not limited goes past the router, and competes for nothing there.</summary>
    public SendRate? RateOf(ConnectionEnd end, string container, bool toAnotherHost)
    {
        PolicyFile file = Volatile.Read(ref _file);
        RateLimit? most = file.Rates.TryGetValue(new Address(end.Facts.Addresses.Local.Address.Value), out AddressRate? rate) ? rate.Most : null;
        if (most is null) _byContainer.TryGetValue(container, out most);
        RateLimit? capacity = toAnotherHost ? file.Capacity : null;
        return most is null && capacity is null && (rate?.Least is null || !toAnotherHost) ? null : new SendRate(most, rate?.Least, capacity);
    }

    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
    }

    private void FollowIdentities(PolicyFile file, Log log)
    {
        if (!file.NeedsIdentities) return;
        if (_locations is null or NoLocations) log.PolicyLacksIdentities(Path);
        _locations?.FollowIdentities();
    }

    private void Take(string text, Log log)
    {
        PolicyFile file = PolicyFile.Parse(text);
        _text = text;
        FollowIdentities(file, log);
        file.TakeOver(_file);
        Volatile.Write(ref _file, file);
        Changed?.Invoke();
        log.PolicyRead(Path, file.Rules.Count, file.Rates.Count);
    }
}
