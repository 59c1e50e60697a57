using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using FreeFlow.Locations;

namespace FreeFlow.Router.Policy;

/// <summary>The text of a policy:
/// <code>
/// # the first rule that covers a connection decides; none: everything is allowed
/// rule backups from 10.0.9.0/24 to any over kernel
/// rule web from namespace=web,app=front to namespace=db over shm,fabric
/// # Mbit/s that a virtual IP may send, and what it gets even when others want everything
/// rate 10.0.1.7 max=100 burst=65536
/// rate 10.0.1.8 min=500
/// # Mbit/s that this host may send to others
/// capacity 10000
/// </code></summary>
internal sealed class PolicyFile
{
    public List<PolicyRule> Rules { get; } = [];

    public Dictionary<Address, AddressRate> Rates { get; private set; } = [];

    /// <summary>What all virtual IPs of this host together send to other hosts; null: as much as goes.</summary>
    public RateLimit? Capacity { get; private set; }

    /// <summary>True if a rule goes by more than addresses.</summary>
    public bool NeedsIdentities => Rules.Exists(rule => rule.NeedsIdentities);

    /// <summary>
    /// Throws <see cref="FormatException"/> naming the first line that is wrong: half a policy is worse than the last one. So is none: a file without a byte, which
    /// would allow everything, is one that somebody has emptied to write it anew.
    /// </summary>
    public static PolicyFile Parse(string text)
    {
        if (text.Length == 0) throw new FormatException("the file is empty: to allow everything write a comment (# everything)");
        PolicyFile file = new();
        int number = 0;
        foreach (ReadOnlySpan<char> whole in text.AsSpan().EnumerateLines())
        {
            number++;
            int comment = whole.IndexOf('#');
            string[] words = (comment < 0 ? whole : whole[..comment]).ToString().Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0) continue;
            string? problem = words[0] switch { "rule" => file.AddRule(words), "rate" => file.AddRate(words), "capacity" => file.SetCapacity(words), _ => $"'{words[0]}' is neither rule nor rate nor capacity" };
            if (problem is not null) throw new FormatException($"line {number}: {problem}");
        }
        return file;
    }

    /// <summary>What says the same as in the last file goes on as it is: connections of before and after share it.</summary>
    public void TakeOver(PolicyFile last)
    {
        Rates = Rates.ToDictionary(rate => rate.Key, rate => last.Rates.TryGetValue(rate.Key, out AddressRate? before) && rate.Value.SameAs(before) ? before : rate.Value);
        if (Capacity is not null && Capacity.BitsPerSecond == last.Capacity?.BitsPerSecond) Capacity = last.Capacity;
    }

    private string? AddRule(string[] words)
    {
        // A selector may be several words.
        int to = Array.IndexOf(words, "to", Math.Min(words.Length, 4)), over = Array.IndexOf(words, "over", Math.Max(to, 0));
        if (words.Length < 4 || words[2] != "from" || to < 4 || over < to + 2 || over != words.Length - 2) return "write: rule NAME from SELECTOR to SELECTOR over shm,rdma,fabric (or kernel)";
        if (Rules.Any(rule => rule.Name == words[1])) return $"there is a rule {words[1]} already";
        if (SelectorText.TryParse(string.Join(' ', words[3..to]), out string problem) is not { } source) return problem;
        if (SelectorText.TryParse(string.Join(' ', words[(to + 1)..over]), out problem) is not { } target) return problem;
        Transports ways = Transports.Kernel;
        foreach (string name in words[^1].Split(','))
        {
            switch (name)
            {
                case "shm": ways |= Transports.SharedMemory; break;
                case "rdma": ways |= Transports.Rdma; break;
                case "fabric": ways |= Transports.Fabric; break;
                case "kernel": break;
                default: return $"'{name}' is none of shm, rdma, fabric, kernel";
            }
        }
        Rules.Add(new PolicyRule(words[1], source, target, ways));
        return null;
    }

    private string? AddRate(string[] words)
    {
        if (words.Length < 3 || !Address.TryParse(words[1], out Address address)) return "write: rate ADDRESS min=MBIT max=MBIT burst=BYTES (min or max, and what else is wanted)";
        long max = 0, min = 0, burst = 0;
        foreach (string word in words.Skip(2))
        {
            if (word.StartsWith("max=", StringComparison.Ordinal) && TryRate(word[4..], out max)) continue;
            if (word.StartsWith("min=", StringComparison.Ordinal) && TryRate(word[4..], out min)) continue;
            if (word.StartsWith("burst=", StringComparison.Ordinal) && long.TryParse(word[6..], NumberStyles.None, CultureInfo.InvariantCulture, out burst) && burst >= 1024) continue;
            return $"'{word}' is none of min=MBIT, max=MBIT, burst=BYTES (1024 or more)";
        }
        if (max == 0 && min == 0) return "a rate needs max=MBIT or min=MBIT";
        if (burst > 0 && max == 0) return "a burst needs max=MBIT";
        if (max > 0 && min > max) return "min is more than max";
        return Rates.TryAdd(address, new AddressRate(max, min, burst)) ? null : $"there is a rate for {words[1]} already";
    }

    private string? SetCapacity(string[] words)
    {
        if (words.Length != 2 || !TryRate(words[1], out long bits)) return "write: capacity MBIT";
        if (Capacity is not null) return "there is a capacity already";
        Capacity = new RateLimit(bits);
        return null;
    }

    private static bool TryRate(string word, out long bits)
    {
        bool right = decimal.TryParse(word, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal rate) && rate is > 0 and < 10_000_000;
        bits = right ? (long)(rate * 1_000_000) : 0;
        return right && bits > 0;
    }
}
