namespace FreeFlow.Bench.Measuring;

/// <summary>How the bytes of a measurement travel.</summary>
public enum Road
{
    /// <summary>Plain programs over kernel TCP.</summary>
    Kernel,

    /// <summary>Plain programs over an AF_UNIX stream socket, for those that can.</summary>
    Unix,

    /// <summary>The same programs as over kernel TCP, under <c>freeflow run</c>.</summary>
    FreeFlow,
}
