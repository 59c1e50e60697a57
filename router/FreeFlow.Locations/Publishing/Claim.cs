using FreeFlow.Locations.Etcd;

namespace FreeFlow.Locations.Publishing;

/// <summary>One key that we want to hold, and how far that is.</summary>
internal sealed class Claim(string key, byte[] value)
{
    public string Key { get; } = key;

    /// <summary>What the key shall say.</summary>
    public byte[] Value { get; set; } = value;

    /// <summary>The value that is being written; <see cref="Value"/> may have changed since.</summary>
    public byte[] Sent { get; set; } = value;

    /// <summary>True: our claim is newer than whatever etcd has, and replaces it. False: an entry that another holds under a living lease stays.</summary>
    public bool Newer { get; set; }

    public ClaimState State { get; set; }

    /// <summary>The revision at which we wrote it; an event with an earlier one is old news.</summary>
    public long Revision { get; set; }

    /// <summary>Another's event that came while ours was being written: which of the two is the later one shows when the answer is there.</summary>
    public (KeyValue Entry, bool Deleted)? News { get; set; }

    /// <summary>The other side's value, if it was reported; each conflict is said once.</summary>
    public string? Reported { get; set; }
}
