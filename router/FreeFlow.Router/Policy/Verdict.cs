namespace FreeFlow.Router.Policy;

/// <summary>What the policy says about a connection and a way.</summary>
internal enum Verdict
{
    /// <summary>It may go there.</summary>
    Allowed,

    /// <summary>It may not.</summary>
    Denied,

    /// <summary>That depends on labels which are not known: it may not, until they are.</summary>
    Open,
}
