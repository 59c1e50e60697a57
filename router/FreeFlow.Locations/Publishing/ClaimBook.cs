using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading;
using FreeFlow.Locations.Etcd;

namespace FreeFlow.Locations.Publishing;

/// <summary>
/// The keys that this node claims, and how each stands: what is wanted comes from the publisher's callers, what became of it from etcd's answers and events, which arrive by
/// different roads. Any thread.
/// </summary>
/// <param name="lease">The lease under which this node writes; its own entries are known by it.</param>
/// <param name="wake">There is something to write or to delete.</param>
/// <param name="log">One line for each conflict.</param>
internal sealed class ClaimBook(Func<long> lease, Action wake, Action<string> log) : IKeySink
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Claim> _claims = [];
    private readonly HashSet<string> _listed = [];

    /// <summary>How many there are, in any state.</summary>
    public int Count { get { lock (_lock) return _claims.Count; } }

    /// <summary>How many are held, left to another's claim, and still to be written or deleted.</summary>
    public (int Held, int Lost, int Open) Counts()
    {
        lock (_lock)
        {
            int held = _claims.Values.Count(claim => claim.State == ClaimState.Held), lost = _claims.Values.Count(claim => claim.State == ClaimState.Lost);
            return (held, lost, _claims.Count - held - lost);
        }
    }

    /// <summary>As <see cref="Publisher.Want"/>; true if there is something to do.</summary>
    public bool Want(string key, byte[] value, bool newer)
    {
        lock (_lock)
        {
            if (!_claims.TryGetValue(key, out Claim? claim))
            {
                _claims.Add(key, new(key, value) { Newer = newer });
                return true;
            }
            if (claim.State != ClaimState.Unwanted && claim.Value.AsSpan().SequenceEqual(value) && !(newer && claim.State == ClaimState.Lost)) return false;
            claim.Newer = newer || claim.State == ClaimState.Held;
            claim.Value = value;
            claim.State = ClaimState.Wanted;
            return true;
        }
    }

    /// <summary>As <see cref="Publisher.Drop"/>; true if there is something to do.</summary>
    public bool Drop(string key)
    {
        lock (_lock)
        {
            if (!_claims.TryGetValue(key, out Claim? claim)) return false;
            claim.State = ClaimState.Unwanted;
            return true;
        }
    }

    /// <summary>What is to be written, with the value that is sent, and what is to be deleted.</summary>
    public (Claim[] Wanted, Claim[] Unwanted) Take()
    {
        lock (_lock)
        {
            Claim[] wanted = [.. _claims.Values.Where(claim => claim.State == ClaimState.Wanted)];
            foreach (Claim claim in wanted) claim.Sent = claim.Value;
            return (wanted, [.. _claims.Values.Where(claim => claim.State == ClaimState.Unwanted)]);
        }
    }

    /// <summary>Those of the claims that are still unwanted have been deleted; their keys.</summary>
    public string[] Forget(Claim[] deleted)
    {
        lock (_lock)
        {
            string[] gone = [.. deleted.Where(claim => claim.State == ClaimState.Unwanted).Select(claim => claim.Key)];
            foreach (string key in gone) _claims.Remove(key);
            return gone;
        }
    }

    /// <summary>The lease has ended, and claims end with it: what was held is written again unless another has claimed it meanwhile. How many.</summary>
    public int WriteAgain()
    {
        lock (_lock)
        {
            Claim[] held = [.. _claims.Values.Where(claim => claim.State == ClaimState.Held)];
            foreach (Claim claim in held) (claim.State, claim.Newer) = (ClaimState.Wanted, false);
            return held.Length;
        }
    }

    /// <summary>What became of a write: done, or left to <paramref name="other"/>'s claim.</summary>
    public void Settle(Claim claim, KeyValue? other, bool written)
    {
        lock (_lock)
        {
            // Its subject has vanished or changed while it was written.
            if (claim.State != ClaimState.Wanted || claim.Value != claim.Sent)
            {
                claim.Newer = true;
                wake();
                return;
            }
            claim.State = written ? ClaimState.Held : ClaimState.Lost;
            claim.Newer = false;
            bool conflict = other is not null && !other.value.AsSpan().SequenceEqual(claim.Value);
            if (conflict) Report(claim, other!, written ? "our claim is newer and replaces it" : "that claim was there before this start and stays");
            else if (written) claim.Reported = null;
            if (claim.News is { } news) Hear(claim, news.Entry, news.Deleted);
            claim.News = null;
        }
    }

    void IKeySink.ListBegins(KeyRange range) => _listed.Clear();

    void IKeySink.Listed(KeyRange range, KeyValue entry)
    {
        _listed.Add(Encoding.UTF8.GetString(entry.key));
        Hear(entry, deleted: false);
    }

    // What is not in the list, and was written before it, has been deleted since.
    void IKeySink.ListEnds(KeyRange range, long revision)
    {
        lock (_lock)
        {
            IEnumerable<string> keys = range.End is null ? [range.Name] : _claims.Keys.Where(key => key.StartsWith(range.Name, StringComparison.Ordinal)).ToArray();
            foreach (string key in keys) if (!_listed.Contains(key)) Hear(new() { key = Encoding.UTF8.GetBytes(key), mod_revision = revision }, deleted: true);
        }
    }

    void IKeySink.Put(KeyRange range, KeyValue entry) => Hear(entry, deleted: false);

    void IKeySink.Deleted(KeyRange range, KeyValue entry) => Hear(entry, deleted: true);

    void IKeySink.Current(Uri endpoint, long revision) { }

    // The writing side says it.
    void IKeySink.Outage(string reason, long lastHeard) { }

    private void Hear(KeyValue entry, bool deleted)
    {
        lock (_lock)
        {
            if (_claims.TryGetValue(Encoding.UTF8.GetString(entry.key), out Claim? claim)) Hear(claim, entry, deleted);
        }
    }

    // Events and answers of writes come by different roads: the revision says which is the later one.
    private void Hear(Claim claim, KeyValue entry, bool deleted)
    {
        if (entry.mod_revision <= claim.Revision || !deleted && entry.lease == lease()) return;
        if (claim.State == ClaimState.Wanted) claim.News = (entry, deleted);
        if (claim.State is not (ClaimState.Held or ClaimState.Lost)) return;
        claim.Revision = entry.mod_revision;
        bool same = !deleted && entry.value.AsSpan().SequenceEqual(claim.Value);
        // Free again; or our own word without a lease, from a writer that knows none: it would outlive this node.
        if (deleted || same && entry.lease == 0)
        {
            claim.State = ClaimState.Wanted;
            wake();
            return;
        }
        claim.State = ClaimState.Lost;
        if (!same) Report(claim, entry, "that claim is newer, ours is withdrawn");
    }

    private void Report(Claim claim, KeyValue other, string what)
    {
        string value = Printable(other.value);
        if (claim.Reported == value + what) return;
        claim.Reported = value + what;
        log($"two claims on {claim.Key}: ours says {Printable(claim.Value)}, another {value}; {what}");
    }

    // Another writes the log's text here: no control characters, not too much.
    private static string Printable(byte[] value) =>
        new([.. Encoding.UTF8.GetString(value.AsSpan(0, Math.Min(value.Length, 64))).Select(letter => char.IsControl(letter) ? '?' : letter)]);
}
