namespace FreeFlow.Suites.Running;

/// <summary>How a test ended.</summary>
public enum Outcome
{
    /// <summary>As it should.</summary>
    Passed,

    /// <summary>Failed, or ended by an error.</summary>
    Failed,

    /// <summary>Not run, by its own choice.</summary>
    Skipped,
}
