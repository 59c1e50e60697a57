namespace FreeFlow.Contract;

/// <summary>
/// struct rdma_conn_param's small numbers in one, a byte each from the lowest: responder resources, initiator depth, flow control, retry
/// count, RNR retry count, shared receive queue; and, of an identifier alone, the acknowledgement timeout that its program has set, plus 1.
/// </summary>
public static class CmParameters
{
    /// <summary>Seven bytes.</summary>
    public const ulong Maximum = 0xff_ffff_ffff_ffff;

    /// <summary>Bytes by their places.</summary>
    public const int ResponderResources = 0, InitiatorDepth = 1, FlowControl = 2, RetryCount = 3, RnrRetryCount = 4, SharedReceives = 5, AcknowledgeTimeout = 6;

    /// <summary>The byte at a place.</summary>
    public static byte Get(ulong parameters, int place) => (byte)(parameters >> (8 * place));

    /// <summary>The same with another byte at a place.</summary>
    public static ulong With(ulong parameters, int place, byte value) => (parameters & ~(0xffUL << (8 * place))) | ((ulong)value << (8 * place));

    /// <summary>As the peer sees them: what one side can answer at once is what the other one may ask.</summary>
    public static ulong Turned(ulong parameters) => With(With(parameters, ResponderResources, Get(parameters, InitiatorDepth)), InitiatorDepth, Get(parameters, ResponderResources));
}
