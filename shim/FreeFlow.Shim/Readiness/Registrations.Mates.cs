using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Shim.Control;
using FreeFlow.Shim.Memory;
using FreeFlow.Shim.Native;
using FreeFlow.Shim.Sockets;

namespace FreeFlow.Shim.Readiness;

/// <content>
/// Connections that share a doorbell (<see cref="DoorbellMates"/>): it is in an epoll set once, under the tag of one of their registrations, and who hears it
/// looks at all of them.
/// </content>
internal static unsafe partial class Registrations
{
    private static void AddDoorbell(EpollInstance* owner, int index, int doorbell)
    {
        EpollEvent bell = new() { Events = Linux.EPOLLIN | Linux.EPOLLET, Data = EpollTag.ForDoorbell(index - 1, Entries[index - 1].Generation) };
        Process.Libc->epoll_ctl(Home(owner), Linux.EPOLL_CTL_ADD, doorbell, &bell);
    }

    /// <summary>A registration has become accelerated: it joins the circle of its connection's mates in the same instance. Caller holds both locks.</summary>
    private static void JoinMates(int index, uint connection)
    {
        Registration* entry = Entries + (index - 1);
        entry->NextMate = 0;
        // Itself first: two descriptors of one connection may both be in the set.
        for (uint mate = connection; mate != 0; mate = DoorbellMates.After(mate - 1) == connection ? 0 : DoorbellMates.After(mate - 1))
        {
            int other = Of(mate, entry->Instance, index);
            if (other == 0) continue;
            Registration* before = Entries + (other - 1);
            entry->NextMate = before->NextMate == 0 ? other : before->NextMate;
            before->NextMate = index;
            Instances[entry->Instance].HasMates = 1;
            return;
        }
    }

    /// <summary>Takes a registration off its circle; returns one that stays, 0 if there is none. Caller holds both locks.</summary>
    private static int LeaveMates(Registration* entry)
    {
        int index = (int)(entry - Entries) + 1, next = entry->NextMate;
        if (next == 0) return 0;
        int before = next;
        while (Entries[before - 1].NextMate != index) before = Entries[before - 1].NextMate;
        Entries[before - 1].NextMate = before == next ? 0 : next;
        entry->NextMate = 0;
        return next;
    }

    /// <summary>The doorbell that this registration brought has been heard: it may have been rung for a mate. Caller holds the instance's lock.</summary>
    public static void HearMates(EpollInstance* owner, Registration* entry)
    {
        int index = (int)(entry - Entries) + 1;
        bool gone = (Volatile.Read(ref Family.Records[entry->Connection - 1].Flags) & (uint)ConnectionFlags.DoorbellGone) != 0;
        for (int mate = entry->NextMate; mate != 0 && mate != index; mate = Entries[mate - 1].NextMate)
        {
            Registration* other = Entries + (mate - 1);
            ConnectionRecord* record = Family.Records + (other->Connection - 1);
            if (!IsBodiless(other))
            {
                if (gone) Doorbell.NoteGone(record);
                if (Recall.Answer(record)) Refresh(other, record, owed: true);
            }
            Heat(owner, other);
        }
    }

    /// <summary>As <see cref="Heat(ConnectionRecord*)"/>, after this thread has emptied the doorbell: what it was rung for may be a mate's.</summary>
    public static void HeatMates(ConnectionRecord* record)
    {
        Heat(record);
        uint connection = Connections.IndexOf(record);
        if (DoorbellMates.After(connection) == 0) return;
        uint* mates = stackalloc uint[MostMates];
        int count = 0;
        bool locked = ThreadLock.Enter(Connections.LockWord());
        for (uint mate = DoorbellMates.After(connection); mate != 0 && mate != connection + 1 && count < MostMates; mate = DoorbellMates.After(mate - 1)) mates[count++] = mate;
        if (locked) ThreadLock.Exit(Connections.LockWord());
        bool gone = (Volatile.Read(ref record->Flags) & (uint)ConnectionFlags.DoorbellGone) != 0;
        for (int i = 0; i < count; i++)
        {
            ConnectionRecord* other = Family.Records + (mates[i] - 1);
            if (other->RingAddress == 0) continue;
            if (gone) Doorbell.NoteGone(other);
            Recall.AnswerAtOnce(other);
            Heat(other);
        }
    }

    /// <summary>More than a router gives one doorbell to.</summary>
    private const int MostMates = 64;

    /// <summary>An accelerated registration of a connection in an instance, other than one, index plus one; 0 if there is none.</summary>
    private static int Of(uint connection, int instance, int except)
    {
        for (int fd = Connections.Local[connection - 1].FirstDescriptor; fd != 0; fd = Connections.Descriptors[fd - 1].NextDescriptor)
            for (int index = Connections.Descriptors[fd - 1].FirstRegistration; index != 0; index = Entries[index - 1].NextOfDescriptor)
                if (index != except && Entries[index - 1].Instance == instance && Entries[index - 1].Connection == connection) return index;
        return 0;
    }
}
