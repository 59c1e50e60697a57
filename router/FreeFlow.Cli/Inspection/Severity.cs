namespace FreeFlow.Cli.Inspection;

/// <summary>How much a finding matters.</summary>
internal enum Severity
{
    /// <summary>As it should be.</summary>
    Good,

    /// <summary>Worth knowing; nothing has to be done.</summary>
    Note,

    /// <summary>Something is slower than it could be.</summary>
    Warning,

    /// <summary>Nothing is accelerated.</summary>
    Problem,
}
