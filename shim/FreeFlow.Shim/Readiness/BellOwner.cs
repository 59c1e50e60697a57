namespace FreeFlow.Shim.Readiness;

/// <summary>A connection of the set, and which of the doorbells behind the set is its.</summary>
internal struct BellOwner
{
    public uint Connection;
    public uint Bell;
}
