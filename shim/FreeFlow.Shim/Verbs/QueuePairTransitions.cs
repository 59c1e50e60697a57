using FreeFlow.Shim.Verbs.Abi;

namespace FreeFlow.Shim.Verbs;

/// <summary>Which attributes a transition of a queue pair needs, and which it allows (IBA table 96; ibv_modify_qp(3)).</summary>
internal static class QueuePairTransitions
{
    /// <summary>False: EINVAL.</summary>
    public static bool IsAllowed(uint type, uint from, uint to, uint mask)
    {
        mask &= ~Ibv.MaskState;
        if (to is Ibv.Reset or Ibv.Err) return (mask & ~Ibv.MaskCurrentState) == 0;
        if (type == Ibv.QptUd) return IsAllowedForDatagrams(from, to, mask);
        bool isReliable = type == Ibv.QptRc;
        uint always = Ibv.MaskCurrentState | Ibv.MaskAccess | Ibv.MaskAltPath | Ibv.MaskPathMig | (isReliable ? Ibv.MaskMinRnr : 0);
        const uint place = Ibv.MaskPkey | Ibv.MaskPort;
        switch (from, to)
        {
            case (Ibv.Reset, Ibv.Init): return Has(mask, place | Ibv.MaskAccess, 0);
            case (Ibv.Init, Ibv.Init): return Has(mask, 0, place | Ibv.MaskAccess);
            case (Ibv.Init, Ibv.Rtr):
                uint path = Ibv.MaskAv | Ibv.MaskMtu | Ibv.MaskDestQp | Ibv.MaskRqPsn;
                return Has(mask, isReliable ? path | Ibv.MaskMaxDestRead | Ibv.MaskMinRnr : path, Ibv.MaskAltPath | Ibv.MaskAccess | Ibv.MaskPkey);
            case (Ibv.Rtr, Ibv.Rts): return Has(mask, Ibv.MaskSqPsn | (isReliable ? Waiting | Ibv.MaskMaxRead : 0), always);
            case (Ibv.Rts, Ibv.Rts) or (Ibv.Sqd, Ibv.Rts): return Has(mask, 0, always);
            case (Ibv.Sqe, Ibv.Rts): return !isReliable && Has(mask, 0, Ibv.MaskCurrentState | Ibv.MaskAccess);
            case (Ibv.Rts, Ibv.Sqd): return Has(mask, 0, Ibv.MaskEnSqd);
            case (Ibv.Sqd, Ibv.Sqd): return Has(mask, 0, always | place | Ibv.MaskAv | (isReliable ? Waiting | Ibv.MaskMaxRead | Ibv.MaskMaxDestRead : 0));
            default: return false;
        }
    }

    private static bool IsAllowedForDatagrams(uint from, uint to, uint mask)
    {
        const uint place = Ibv.MaskPkey | Ibv.MaskPort | Ibv.MaskQkey, later = Ibv.MaskCurrentState | Ibv.MaskQkey;
        return (from, to) switch
        {
            (Ibv.Reset, Ibv.Init) => Has(mask, place, 0),
            (Ibv.Init, Ibv.Init) => Has(mask, 0, place),
            (Ibv.Init, Ibv.Rtr) => Has(mask, 0, Ibv.MaskPkey | Ibv.MaskQkey),
            (Ibv.Rtr, Ibv.Rts) => Has(mask, Ibv.MaskSqPsn, later),
            (Ibv.Rts, Ibv.Rts) or (Ibv.Sqd, Ibv.Rts) or (Ibv.Sqe, Ibv.Rts) => Has(mask, 0, later),
            (Ibv.Rts, Ibv.Sqd) => Has(mask, 0, Ibv.MaskEnSqd),
            (Ibv.Sqd, Ibv.Sqd) => Has(mask, 0, later | Ibv.MaskPkey),
            _ => false,
        };
    }

    private const uint Waiting = Ibv.MaskTimeout | Ibv.MaskRetry | Ibv.MaskRnrRetry;

    private static bool Has(uint mask, uint needed, uint allowed) => (mask & needed) == needed && (mask & ~(needed | allowed)) == 0;
}
