using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Contract.Messages;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Uring;

namespace FreeFlow.Shim.Sockets;

/// <summary>
/// Decides when a connection is shown to the router: after it has shown that it will last, while one process holds it, and while nothing about it
/// needs the kernel (design, principle 3).
/// </summary>
internal static unsafe class Offering
{
    /// <summary>A connection that ends before this never asks for its addresses, which only status wants to know.</summary>
    private const uint MessagesBeforeAddresses = 4;

    /// <summary>The program has an io_uring whose submissions nobody sees: nothing is offered any more.</summary>
    public static bool AnotherRoad;

    /// <summary>After bytes went through the kernel: counts, and offers when it is time.</summary>
    public static void Count(int fd, ConnectionRecord* record)
    {
        if ((record->Flags & (uint)ConnectionFlags.KernelOnly) != 0) return;
        if (record->State != (uint)ConnectionState.Kernel)
        {
            // A program that never sleeps in the shim would not hear that the router which was shown the connection is gone.
            if (record->State == (uint)ConnectionState.Offered) Session.Glance();
            if (ReturnMark.IsMirrored(record)) Reattachment.Consider(fd, record);
            return;
        }
        if (Reattachment.MustWait(record)) return;
        if (++record->Messages >= Settings.OfferAfterMessages || record->KernelSent + record->KernelReceived >= Settings.OfferAfterBytes) Try(fd, record);
        else if (record->Messages == MessagesBeforeAddresses) Addresses.Fill(fd, record);
    }

    /// <summary>Before bytes go through the kernel: with FREEFLOW_OFFER_AFTER=0 the first ones should find the ring.</summary>
    public static void AtOnce(int fd, ConnectionRecord* record)
    {
        if (Settings.OfferAfterMessages != 0 || record->State != (uint)ConnectionState.Kernel || (record->Flags & (uint)ConnectionFlags.KernelOnly) != 0) return;
        // A connection that has lost a ring does not hold its program up.
        if (Reattachment.IsDetached(record))
        {
            if (!Reattachment.MustWait(record)) _ = Try(fd, record);
            return;
        }
        int errno = Process.Errno;
        bool offered = Try(fd, record);
        if (!offered && Settings.WaitForJoin && Session.WaitForWelcome(Settings.JoinTimeoutNanoseconds)) offered = Try(fd, record);
        if (offered && Settings.WaitForJoin) Joining.Wait(fd, record);
        Process.Errno = errno;
    }

    /// <summary>Leaves a connection in the kernel for good.</summary>
    public static void KeepInKernel(ConnectionRecord* record, Reason reason)
    {
        Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.KernelOnly);
        record->Reason = (uint)reason;
        Strictness.FellBack(record, reason);
    }

    /// <summary>The router will not join this connection.</summary>
    public static void Refused(in Refuse refuse)
    {
        if (refuse.Connection >= FamilyLayout.RecordCount) return;
        ConnectionRecord* record = Family.Records + refuse.Connection;
        if (record->Generation != refuse.Generation || record->ProcessId != Process.Id) return;
        if (Interlocked.CompareExchange(ref record->State, (uint)ConnectionState.Kernel, (uint)ConnectionState.Offered) != (uint)ConnectionState.Offered) return;
        KeepInKernel(record, (Reason)refuse.Reason);
    }

    /// <summary>This process offered the connection and leaves it to others, who may offer it anew.</summary>
    public static void TakeBack(ConnectionRecord* record)
    {
        if (Interlocked.CompareExchange(ref record->State, (uint)ConnectionState.Kernel, (uint)ConnectionState.Offered) != (uint)ConnectionState.Offered) return;
        Interlocked.And(ref record->Flags, ~(uint)ConnectionFlags.ShownToRouter);
        record->Messages = 0;
        record->Reason = (uint)Reason.SharedByFork;
        Session.Withdraw(Connections.IndexOf(record), record->Generation);
    }

    /// <summary>The router is gone: what it was shown but has not joined must be shown to its successor.</summary>
    public static void ForgetOffers()
    {
        for (uint i = 0; i < Family.Header->RecordsUsed; i++)
        {
            ConnectionRecord* record = Family.Records + i;
            if (Connections.Local[i].FirstDescriptor == 0 || record->ProcessId != Process.Id) continue;
            if (Interlocked.CompareExchange(ref record->State, (uint)ConnectionState.Kernel, (uint)ConnectionState.Offered) != (uint)ConnectionState.Offered) continue;
            record->Messages = 0;
            record->Reason = (uint)Reason.NoRouter;
            Interlocked.CompareExchange(ref Process.Flags[Connections.Local[i].FirstDescriptor - 1], DescriptorFlags.Connection | DescriptorFlags.Fresh, DescriptorFlags.Connection);
        }
    }

    private static bool Try(int fd, ConnectionRecord* record)
    {
        int errno = Process.Errno;
        Reason reason = Obstacle(fd, record);
        bool offered = false;
        if (reason == Reason.None
            && Interlocked.CompareExchange(ref record->State, (uint)ConnectionState.Offered, (uint)ConnectionState.Kernel) == (uint)ConnectionState.Kernel)
        {
            record->ProcessId = Process.Id;
            record->Descriptor = fd;
            record->Reason = (uint)Reason.PeerNotOffered;
            Interlocked.Or(ref record->Flags, (uint)ConnectionFlags.ShownToRouter);
            offered = Session.Offer(Connections.IndexOf(record), record, fd);
            if (offered) Interlocked.CompareExchange(ref Process.Flags[fd], DescriptorFlags.Connection, DescriptorFlags.Connection | DescriptorFlags.Fresh);
            else
            {
                reason = Session.Obstacle;
                Interlocked.And(ref record->Flags, ~(uint)ConnectionFlags.ShownToRouter);
                Interlocked.CompareExchange(ref record->State, (uint)ConnectionState.Kernel, (uint)ConnectionState.Offered);
            }
        }
        if (reason != Reason.None)
        {
            record->Reason = (uint)reason;
            if (!Session.IsOpening) Strictness.MetObstacle(record, reason);
            record->Messages = Session.IsOpening && Settings.OfferAfterMessages > 0 ? Settings.OfferAfterMessages - 1 : 0;
        }
        Process.Errno = errno;
        return offered;
    }

    /// <summary>Why the connection cannot be offered now; it is asked again after as many messages.</summary>
    private static Reason Obstacle(int fd, ConnectionRecord* record)
    {
        if (SubmissionQueues.Used != 0 && !AnotherRoad && SubmissionQueues.WereEnteredUnseen()) Exports.RoadCalls.AllByAnotherRoad();
        if (AnotherRoad) { KeepInKernel(record, Reason.AnotherRoad); return Reason.AnotherRoad; }
        if (record->Family == 0 && !Addresses.Fill(fd, record)) return Reason.NotEstablished;
        if (!Addresses.IsInsidePrefix(record)) { KeepInKernel(record, Reason.OutsidePrefix); return Reason.OutsidePrefix; }
        if (Session.IsOutOfReach) return Session.Obstacle;
        if (!Holders.IsSole(record)) return Reason.SharedByFork;
        if (Reattachment.IsDetached(record)) return Reattachment.Obstacle(fd, record);
        if (!OwnDescriptors.HaveRoomFor(1)) return Reason.DescriptorLimit;
        return Reason.None;
    }
}
