namespace FreeFlow.Locations;

/// <summary>How good a view is.</summary>
public enum LocationState
{
    /// <summary>There is no source: one host.</summary>
    None,

    /// <summary>Nothing was learnt yet.</summary>
    Starting,

    /// <summary>The view follows the source.</summary>
    Current,

    /// <summary>The source does not answer: the last view, which grows older.</summary>
    Stale,
}
