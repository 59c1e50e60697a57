namespace FreeFlow.Cli.Status;

/// <summary>What comes first in a status.</summary>
internal enum StatusOrder
{
    /// <summary>The most bytes.</summary>
    Bytes,

    /// <summary>The most bytes by ring.</summary>
    Ring,

    /// <summary>The most connections.</summary>
    Connections,

    /// <summary>By name.</summary>
    Program,
}
