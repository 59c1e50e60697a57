using System.Text;

namespace FreeFlow.Locations.Etcd;

/// <summary>One key, or all that begin with a prefix.</summary>
public sealed class KeyRange
{
    private KeyRange(string name, byte[] key, byte[]? end) => (Name, Key, End) = (name, key, end);

    /// <summary>The key or the prefix, for messages and to tell ranges apart.</summary>
    public string Name { get; }

    internal byte[] Key { get; }

    /// <summary>First key after the range; null for a single key.</summary>
    internal byte[]? End { get; }

    /// <summary>Revision the next event of this range can have; 0 = it must be listed first.</summary>
    internal long Next { get; set; }

    /// <summary>Exactly this key.</summary>
    public static KeyRange One(string key) => new(key, Encoding.UTF8.GetBytes(key), null);

    /// <summary>Every key with this prefix; etcd wants the first key behind them, which is the prefix with its last byte one higher ('/' → '0').</summary>
    public static KeyRange Prefix(string prefix)
    {
        byte[] end = Encoding.UTF8.GetBytes(prefix);
        end[^1]++;
        return new(prefix, Encoding.UTF8.GetBytes(prefix), end);
    }
}
