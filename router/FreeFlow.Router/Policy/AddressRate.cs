namespace FreeFlow.Router.Policy;

/// <summary>What the policy says about how fast a virtual IP sends, and what it has used of that.</summary>
/// <param name="max">Most, bits a second; 0: no limit.</param>
/// <param name="min">Least, bits a second; 0: none.</param>
/// <param name="burst">Bytes that may go at once after a silence; 0: by the rate.</param>
internal sealed class AddressRate(long max, long min, long burst)
{
    public RateLimit? Most { get; } = max > 0 ? new RateLimit(max, burst) : null;

    public Guarantee? Least { get; } = min > 0 ? new Guarantee(min) : null;

    /// <summary>True if another file says the same: then what was used goes on counting.</summary>
    public bool SameAs(AddressRate other) => (max, min, burst) == other.Terms;

    private (long, long, long) Terms => (max, min, burst);
}
