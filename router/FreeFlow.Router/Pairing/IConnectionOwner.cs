namespace FreeFlow.Router.Pairing;

/// <summary>The session that showed a connection's end.</summary>
internal interface IConnectionOwner
{
    /// <summary>False once the family table's record has moved on to another connection.</summary>
    bool IsCurrent(uint connection, uint generation);
}
