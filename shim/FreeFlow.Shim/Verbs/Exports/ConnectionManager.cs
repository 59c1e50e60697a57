namespace FreeFlow.Shim.Verbs.Exports;

/// <summary>Event channels of rdma_cm(7). All else of librdmacm is the real library's: it writes commands to the channel.</summary>
internal static unsafe class ConnectionManager
{
    [Verbs("int ff_cm_open(void)", Guard = "ff_verbs_work")]
    public static int Open() => CmChannels.Open();
}
