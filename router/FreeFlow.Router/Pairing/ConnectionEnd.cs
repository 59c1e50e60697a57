using FreeFlow.Router.Fabric.Links;

namespace FreeFlow.Router.Pairing;

/// <summary>One shown end of a connection, waiting or joined.</summary>
/// <param name="owner">Who showed it.</param>
/// <param name="connection">Index of its record in the owner's family table.</param>
/// <param name="generation">Generation of that record.</param>
/// <param name="facts">What the kernel said about it.</param>
internal sealed class ConnectionEnd(IConnectionOwner owner, uint connection, uint generation, SocketFacts facts)
{
    public IConnectionOwner Owner { get; } = owner;
    public uint Connection { get; } = connection;
    public uint Generation { get; } = generation;
    public SocketFacts Facts { get; } = facts;

    /// <summary>Its addresses as its other end sees them, behind what translates them on the way.</summary>
    public FourTuple Addresses => Facts.Translation ?? Facts.Addresses;

    /// <summary>The ring that it is charged for; null while it waits.</summary>
    public GivenRing? Ring { get; set; }

    /// <summary>The stream that carries it, by the link and this router's number; null without one.</summary>
    public (IFabricLink Link, uint Number)? Stream { get; set; }

    /// <summary>The ring it shares with its other end, on this host; null without one.</summary>
    public SharedRing? Shared { get; set; }

    /// <summary>Name of the policy's rule that decided about it; null before.</summary>
    public string? Rule { get; set; }

    /// <summary>That rule goes by labels of its addresses which are not known yet.</summary>
    public bool IsUndecided { get; set; }

    /// <summary>Return marks that it has written into the kernel stream: the other end must have found them before it takes a ring.</summary>
    public uint MarksSent { get; init; }

    /// <summary>Data bytes of one direction of the mirrored ring that it has lost: it takes only another one of that kind and size. 0: it never had one, as far as this router believes.</summary>
    public ulong Place { get; init; }

    /// <summary>This router has given it that mirrored ring.</summary>
    public bool IsPlaceKnown { get; init; }

    /// <summary>Its process runs short of descriptors.</summary>
    public bool IsScarce { get; init; }

    /// <summary>How many ends have mirrored its addresses without being its other end.</summary>
    public int Contradictions { get; set; }

    /// <summary>True while its record still means this connection.</summary>
    public bool IsCurrent => Owner.IsCurrent(Connection, Generation);

    public override string ToString() => Facts.Addresses.ToString();
}
