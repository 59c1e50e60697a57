namespace FreeFlow.Router.Policy;

/// <summary>What can be said of a condition. In this order, so that the least of several is what holds for all, and the greatest what holds for any.</summary>
internal enum Match
{
    No,

    /// <summary>It goes by what is not known.</summary>
    Maybe,

    Yes,
}
