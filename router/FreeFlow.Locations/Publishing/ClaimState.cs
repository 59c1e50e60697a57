namespace FreeFlow.Locations.Publishing;

/// <summary>How far a claim is.</summary>
internal enum ClaimState
{
    /// <summary>To be written.</summary>
    Wanted,

    /// <summary>In etcd, under our lease.</summary>
    Held,

    /// <summary>In etcd, under another's lease, newer than ours: watched until it goes.</summary>
    Lost,

    /// <summary>To be deleted, if it is still ours.</summary>
    Unwanted,
}
