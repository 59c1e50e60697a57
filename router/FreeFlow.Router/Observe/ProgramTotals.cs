using System.Collections.Generic;
using FreeFlow.Router.Sessions;

namespace FreeFlow.Router.Observe;

/// <summary>What programs have come to. Names are the processes' own word: beyond a bounded number of them all go into one.</summary>
internal sealed class ProgramTotals
{
    private const int MostPrograms = 512;

    /// <summary>As many records of a family that ends are looked at, so that one that claims to have used all of them costs the event loop little.</summary>
    private const uint MostRecordsOfEnded = 4096;

    private static readonly (uint, string, string) s_others = (uint.MaxValue, "(others)", "");

    /// <summary>By user, program and container.</summary>
    public Dictionary<(uint User, string Program, string Container), ProgramSum> Programs { get; } = [];

    /// <summary>A family has ended: keeps its figures under its last session's name.</summary>
    public void Keep(Session last, Family family) => Of(last).Add(family, isOpen: false, MostRecordsOfEnded);

    /// <summary>Adds a family that is there.</summary>
    public void Add(Session first, Family family, int processes)
    {
        ProgramSum program = Of(first);
        program.Processes += processes;
        program.Add(family, isOpen: true, uint.MaxValue);
    }

    /// <summary>Adds all of others.</summary>
    public void Add(ProgramTotals others)
    {
        foreach (((uint, string, string) key, ProgramSum program) in others.Programs) Of(key).Add(program);
    }

    private ProgramSum Of(Session session) => Of((session.Peer.UserId, session.Program, session.Container));

    private ProgramSum Of((uint, string, string) key)
    {
        if (Programs.TryGetValue(key, out ProgramSum? known)) return known;
        if (Programs.Count >= MostPrograms && !Programs.TryGetValue(key = s_others, out known)) return Programs[key] = new ProgramSum();
        return known ?? (Programs[key] = new ProgramSum());
    }
}
