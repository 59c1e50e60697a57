namespace FreeFlow.Differential.Programs;

/// <summary>What the generator believes about one connection. It may be mistaken: that makes a program less interesting, never wrong.</summary>
internal sealed class Connection(int number)
{
    public int Number { get; } = number;

    /// <summary>Bytes that each side has sent and the other has not read.</summary>
    public int[] Outstanding { get; } = new int[2];

    /// <summary>Whether each side's stream has an end.</summary>
    public bool[] Finished { get; } = new bool[2];

    /// <summary>Whether anything has been sent or waited for.</summary>
    public bool Used { get; set; }

    /// <summary>Whether a flood or an urgent byte has made the stream unfit for exact expectations.</summary>
    public bool Spent { get; set; }
}
