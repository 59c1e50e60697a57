using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// FREEFLOW_STRICT=1: a connection that ought to be in a ring and stays in, or goes back to, the kernel because shim or router cannot do better is refused: said on
/// stderr, counted for <c>freeflow status</c>, and every further transfer on it fails with ENETUNREACH. For tests and doctors: a silent fallback cannot pass.
/// </summary>
internal static unsafe class Strictness
{
    /// <summary>The connection stays in the kernel, or goes back to it, for this reason; nothing happens if it is no failing or nobody asked for strictness.</summary>
    public static void FellBack(ConnectionRecord* record, Reason reason)
    {
        if (!Settings.Strict || !IsFailing(reason) || record->Refused != 0) return;
        int fd = Connections.Local[Connections.IndexOf(record)].FirstDescriptor - 1;
        if (record->Family == 0 && fd >= 0) Addresses.Fill(fd, record);
        if (!Addresses.IsInsidePrefix(record) || Interlocked.CompareExchange(ref record->Refused, (uint)reason, 0) != 0) return;
        Interlocked.Increment(ref Family.Header->Refused);
        Log.Refused(reason);
    }

    /// <summary>
    /// An obstacle that may pass by itself: another process that is just letting go, a full control socket. It counts once more than <see cref="Patience"/> messages
    /// have met one; that there is no router at all counts at once.
    /// </summary>
    public static void MetObstacle(ConnectionRecord* record, Reason reason)
    {
        if (!Settings.Strict || !IsFailing(reason)) return;
        uint messages = Settings.OfferAfterMessages > 1 ? Settings.OfferAfterMessages : 1;
        record->Obstructed += messages;
        if ((reason is Reason.NoRouter or Reason.UntrustedRouter && Session.IsAbsent) || record->Obstructed > Patience) FellBack(record, reason);
    }

    public static bool HasRefused(ConnectionRecord* record) => Volatile.Read(ref record->Refused) != 0;

    private const uint Patience = 16;

    /// <summary>Reasons that are nobody's failing: too early, the other end's doing, the program's own wish, or another program's connection from then on.</summary>
    private static bool IsFailing(Reason reason) => reason is not (Reason.None or Reason.NotYetOffered or Reason.PeerNotOffered or Reason.OutsidePrefix or Reason.Disabled
        or Reason.PeerClosed or Reason.PeerGone or Reason.NotEstablished or Reason.Exec or Reason.DescriptorPassed or Reason.Policy or Reason.WayLost or Reason.LabelsUnknown);
}
