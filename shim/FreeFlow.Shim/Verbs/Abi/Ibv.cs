namespace FreeFlow.Shim.Verbs.Abi;

/// <summary>Numbers of infiniband/verbs.h that the shim uses.</summary>
internal static class Ibv
{
    public const int AccessLocalWrite = 1, AccessRemoteWrite = 2, AccessRemoteRead = 4, AccessRemoteAtomic = 8, AccessMwBind = 16, AccessZeroBased = 32,
        AccessOnDemand = 64, AccessHugeTlb = 128, AccessOptionalMask = 0x3ff00000;

    public const uint ReregTranslation = 1, ReregDomain = 2, ReregAccess = 4;

    public const uint QptRc = 2, QptUc = 3, QptUd = 4;

    public const uint Reset = 0, Init = 1, Rtr = 2, Rts = 3, Sqd = 4, Sqe = 5, Err = 6;

    public const uint MaskState = 1, MaskCurrentState = 2, MaskEnSqd = 4, MaskAccess = 8, MaskPkey = 0x10, MaskPort = 0x20, MaskQkey = 0x40, MaskAv = 0x80, MaskMtu = 0x100,
        MaskTimeout = 0x200, MaskRetry = 0x400, MaskRnrRetry = 0x800, MaskRqPsn = 0x1000, MaskMaxRead = 0x2000, MaskAltPath = 0x4000, MaskMinRnr = 0x8000, MaskSqPsn = 0x10000,
        MaskMaxDestRead = 0x20000, MaskPathMig = 0x40000, MaskCap = 0x80000, MaskDestQp = 0x100000;

    public const uint WrWrite = 0, WrWriteImm = 1, WrSend = 2, WrSendImm = 3, WrRead = 4, WrCmpSwp = 5, WrFetchAdd = 6, WrLocalInv = 7, WrBindMw = 8, WrSendInv = 9;

    public const uint SendFence = 1, SendSignaled = 2, SendSolicited = 4, SendInline = 8;

    public const uint WcSend = 0, WcWrite = 1, WcRead = 2, WcCompSwap = 3, WcFetchAdd = 4, WcLocalInv = 6, WcRecv = 128, WcRecvWriteImm = 129;

    public const uint WcGrh = 1, WcWithImm = 2, WcWithInv = 8;

    public const uint Success = 0, LocLenErr = 1, LocQpOpErr = 2, LocProtErr = 4, FlushErr = 5, RemInvReqErr = 9, RemAccessErr = 10, RemOpErr = 11, RetryExcErr = 12, RnrRetryExcErr = 13;

    public const uint EventCqErr = 0, EventQpFatal = 1, EventSrqLimit = 15, EventQpLastWqe = 16;
}
