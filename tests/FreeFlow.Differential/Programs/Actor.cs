namespace FreeFlow.Differential.Programs;

/// <summary>A thread of the stage: a0 and a1 in process A, b0 and b1 in B, c0 to c3 in children.</summary>
internal sealed class Actor(string name, Table table)
{
    public string Name { get; } = name;

    public Table Table { get; } = table;

    public bool IsChild => Name[0] == 'c';

    /// <summary>The slot it probably sleeps on.</summary>
    public Slot? Asleep { get; set; }

    /// <summary>So many bytes must come to wake it, so many it takes then, and whether it leaves them where they are (MSG_PEEK).</summary>
    public int Needs { get; set; }
    public int Takes { get; set; }
    public bool Peeks { get; set; }

    /// <summary>Probably sleeps until a signal comes or the program ends.</summary>
    public bool Lost { get; set; }

    public bool Idle => Asleep is null && !Lost;
}
