namespace FreeFlow.Router.Pairing;

/// <summary>
/// Where both directions of a TCP connection began, as one end's kernel has them: what it has sent counts from <paramref name="Sent"/>, what it has received from
/// <paramref name="Received"/>. The kernel drew both numbers; they never change, no translation of addresses touches them, and nobody who is not on the connection's way sees them. So the two
/// ends of one connection, and nobody else's, agree about both.
/// </summary>
/// <param name="Sent">SND.UNA less the bytes that the other end has acknowledged.</param>
/// <param name="Received">RCV.NXT less the bytes received.</param>
internal readonly record struct InitialSequence(uint Sent, uint Received)
{
    /// <summary>True if these are the two ends of one connection.</summary>
    public bool IsOtherEndOf(InitialSequence other) => Continues(Sent, other.Received) && Continues(other.Sent, Received);

    /// <summary>The connecting end counts its SYN, which has a number of its own, among the bytes acknowledged; the accepting end does not.</summary>
    private static bool Continues(uint sent, uint received) => unchecked(received - sent) is 0 or 1;
}
