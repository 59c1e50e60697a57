using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using FreeFlow.Contract.Layout;
using FreeFlow.Router.Fabric.Streams;
using FreeFlow.Router.Pairing;

namespace FreeFlow.Router.Sessions;

/// <summary>
/// Finds programs that do not hear of what happens in their rings: they transfer by libc, but sleep until they may by system calls that no shim sees (<see cref="UnseenWaits"/>).
/// Looks at the ends of rings on this host a few times a second, by what their records say; only an end that has had something to do, and has not done it between two looks, is worth
/// a look into its process. A program that computes, or has its reasons not to read, loses nothing.
/// </summary>
/// <param name="broker">Whose rings they are, and who takes them from such a program.</param>
/// <param name="families">All families.</param>
/// <param name="post">Has the event loop do something; any thread.</param>
internal sealed class ReaderWatch(Broker broker, Func<IEnumerable<Family>> families, Action<Action> post)
{
    private const long QuickMilliseconds = 100, SlowMilliseconds = 1000, NewMilliseconds = 2000;
    private const int RecordsAtATime = 256;

    /// <summary>Looks take at most a fiftieth of the event loop's time, however many ends there are.</summary>
    private const long ShareOfTime = 50;

    /// <summary>Ends in one look, or those of one family: what is left is looked at in the next one.</summary>
    private const int MostEnds = 16384;

    /// <summary>Looks in a row without progress before a process is looked into: the second, and then ever more rarely.</summary>
    private const int FirstSuspicion = 2, LastQuick = 16, MostSuspectsOfUser = 16, MostRelatives = 16;

    private readonly ConnectionRecord[] _chunk = new ConnectionRecord[RecordsAtATime];
    private readonly Queue<Family> _round = [];
    private long _lastLook, _lastCost;
    private bool _isSuspicious, _willBeSuspicious;

    /// <summary>Milliseconds until <see cref="Look"/> is due; −1: there is no ring.</summary>
    public int Patience => !broker.HasSharedRings ? -1 : (int)Math.Max(_lastLook + Pause(IsQuick, _lastCost) - Environment.TickCount64, 0);

    private bool IsQuick => _isSuspicious || Environment.TickCount64 - broker.LastShared < NewMilliseconds;

    /// <summary>Milliseconds between two looks. A new ring is where such a program shows itself first.</summary>
    public static long Pause(bool isQuick, long cost) => Math.Max(isQuick ? QuickMilliseconds : SlowMilliseconds, cost * ShareOfTime);

    /// <summary>On the event loop's thread.</summary>
    public void Look()
    {
        _lastLook = Environment.TickCount64;
        List<Family> part = NextPart();
        foreach (Family family in part) Note(family);
        Dictionary<uint, List<ConnectionEnd>> suspects = [];
        foreach (ConnectionEnd end in part.SelectMany(family => family.Ends.Values))
        {
            if (end.Shared is not { } shared || shared.Peer.Shared is not { } other) continue;
            RingProgress progress = shared.Progress;
            progress.Compare(other.Progress, RingLayout.MinimumCapacity);
            _willBeSuspicious |= progress.Idle is > 0 and <= LastQuick;
            if (progress.Idle < FirstSuspicion || (progress.Idle & (progress.Idle - 1)) != 0) continue;
            uint user = ((Session)end.Owner).Peer.UserId;
            if (!suspects.TryGetValue(user, out List<ConnectionEnd>? ofUser)) suspects[user] = ofUser = [];
            if (ofUser.Count < MostSuspectsOfUser) ofUser.Add(end);
        }
        _isSuspicious |= _willBeSuspicious;
        if (_round.Count == 0) (_isSuspicious, _willBeSuspicious) = (_willBeSuspicious, false);
        _lastCost = Environment.TickCount64 - _lastLook;
        foreach ((uint user, List<ConnectionEnd> ends) in suspects) Examine(((Session)ends[0].Owner).Account, user, ends);
    }

    /// <summary>Families that are next, of all that there are.</summary>
    private List<Family> NextPart()
    {
        if (_round.Count == 0) foreach (Family family in families()) _round.Enqueue(family);
        List<Family> part = [];
        for (int ends = 0; ends < MostEnds && _round.TryDequeue(out Family? family);)
        {
            // One without sessions has been let go of meanwhile.
            if (family.Sessions.Count == 0) continue;
            part.Add(family);
            ends += family.Ends.Count;
        }
        return part;
    }

    private void Note(Family family)
    {
        uint used = family.RecordsUsed;
        // Few ends among many records are read one by one.
        if (family.Ends.Count < used / RecordsAtATime)
        {
            foreach (ConnectionEnd end in family.Ends.Values) Note(family, end.Connection, 1);
            return;
        }
        for (uint first = 0; first < used && family.Ends.Count > 0; first += RecordsAtATime) Note(family, first, (int)Math.Min(RecordsAtATime, used - first));
    }

    private void Note(Family family, uint first, int wanted)
    {
        int count = family.ReadRecords(first, _chunk.AsSpan(0, wanted));
        for (int i = 0; i < count; i++)
        {
            if (family.Ends.TryGetValue(first + (uint)i, out ConnectionEnd? end) && end.Shared is { } shared && end.Generation == _chunk[i].Generation) shared.Progress.Note(_chunk[i]);
        }
    }

    /// <summary>In the turn of the user whose processes they are (<see cref="StandIns"/>): what /proc says is as long as that user likes.</summary>
    private void Examine(UserAccount account, uint user, List<ConnectionEnd> suspects)
    {
        if (Interlocked.CompareExchange(ref account.IsExamined, 1, 0) != 0) return;
        (Session Session, ulong Inode, bool HasInput, bool HasRoom)[] questions = [.. suspects.SelectMany(end => Holders(end).Select(session =>
            (session, end.Facts.Name.Inode, end.Shared!.Progress.HasInput, end.Shared.Progress.HasRoom)))];
        StandIns.Add(user, () =>
        {
            try
            {
                foreach ((Session session, ulong inode, bool hasInput, bool hasRoom) in questions)
                {
                    int process = session.Peer.ProcessId;
                    if ((hasInput && UnseenWaits.AreThere(process, inode, room: false)) || (hasRoom && UnseenWaits.AreThere(process, inode, room: true))) post(() => broker.TakeRings(session));
                }
            }
            finally { Volatile.Write(ref account.IsExamined, 0); }
            return null;
        }, 0);
    }

    /// <summary>Processes that may have the end open: who has shown it first.</summary>
    private static IEnumerable<Session> Holders(ConnectionEnd end)
    {
        Session owner = (Session)end.Owner;
        return (owner.Family?.Sessions ?? []).Where(session => session != owner).Prepend(owner).Take(MostRelatives);
    }
}
