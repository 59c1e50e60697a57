using System.Diagnostics;

namespace FreeFlow.Router.Policy;

/// <summary>All that says how fast one stream may send, and when: what its virtual IP shares with its other streams, and the host with everybody.</summary>
/// <param name="most">What the virtual IP may send; null: anything.</param>
/// <param name="least">What it gets even when others want everything; null: no more than they.</param>
/// <param name="capacity">What the host may send to others; null: anything.</param>
internal sealed class SendRate(RateLimit? most, Guarantee? least, RateLimit? capacity)
{
    private bool _first;

    /// <summary>True if bytes may have to wait for more than their turn.</summary>
    public bool HoldsBack => most is not null || capacity is not null;

    /// <summary>Its turn comes before the others': it has had less than it is to get.</summary>
    public bool GoesFirst => least is not null && least.IsOwed(out _);

    /// <summary>Stopwatch timestamp of the last bytes: of several that wait, the one goes first that has had none for longest.</summary>
    public long LastUsed { get; private set; }

    /// <summary>How many bytes may go now, at most <paramref name="wanted"/>; 0: none, ask again in <paramref name="pauseMilliseconds"/>. <see cref="Used"/> must follow.</summary>
    public ulong Take(ulong wanted, out int pauseMilliseconds)
    {
        int untilOwed = 0;
        _first = least is not null && least.IsOwed(out untilOwed);
        pauseMilliseconds = 0;
        ulong bytes = most?.Take(wanted, out pauseMilliseconds) ?? wanted;
        if (bytes == 0 || capacity is null) return bytes;
        // What is owed goes on the others' account, who wait the longer; not without measure, so that the capacity holds even if too much was promised.
        ulong room = capacity.Take(bytes, out pauseMilliseconds, onCredit: _first);
        if (room > 0 && !_first) pauseMilliseconds = capacity.PauseAfterTurn();
        if (least is not null && !_first && untilOwed < pauseMilliseconds) pauseMilliseconds = untilOwed;
        most?.GiveBack(bytes - room);
        return room;
    }

    /// <summary>Of the bytes that were taken so many have gone.</summary>
    public void Used(ulong taken, ulong sent)
    {
        most?.GiveBack(taken - sent);
        capacity?.GiveBack(taken - sent);
        least?.Spend(sent, asOwed: _first);
        if (sent > 0) LastUsed = Stopwatch.GetTimestamp();
    }
}
