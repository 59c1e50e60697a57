using System;
using System.Collections.Generic;
using System.Linq;

namespace FreeFlow.Differential.Programs;

public sealed partial class Generator
{
    private const int Peek = 2, DontWait = 0x40, WaitAll = 0x100, Truncate = 0x20, Urgent = 1, NoSignal = 0x4000, EndOfRecord = 0x80, WaitForOne = 0x10000, DoNotWait = 8;

    private void Transfer(Actor actor)
    {
        if (AnySlot(actor, SlotKind.Stream) is not { } pick) return;
        pick.Value.Connection!.Used = true;
        if (_chance.Next(20) < 10) Send(actor, pick.Key, pick.Value);
        else Receive(actor, pick.Key, pick.Value);
    }

    private void Send(Actor actor, int slot, Slot to)
    {
        Connection connection = to.Connection!;
        int room = FitsAlways - connection.Outstanding[to.Side];
        if (room < 1000) return;
        int size = Math.Min(Size(), room), flags = OneIn(4) ? OneOf(DontWait, NoSignal, NoSignal | DontWait, EndOfRecord) : 0;
        // Two sends in one step: whether a sleeper is quick enough to answer the first alone is chance.
        bool awaited = _actors.Any(other => other.Asleep?.Connection == connection && other.Asleep.Side != to.Side);
        switch (_chance.Next(11))
        {
            case 0: Do(actor, $"{(OneIn(3) ? "syswrite" : "write")} {slot} {size}"); break;
            case 1:
                int rest = _chance.Next(200);
                Do(actor, awaited ? $"write {slot} {size + rest}" : $"more {slot} {size} {rest}");
                size += rest;
                break;
            case 2 or 3: Do(actor, $"send {slot} {size} {flags}"); break;
            case 4: Do(actor, $"sendto {slot} {size} {flags}"); break;
            case 5: Do(actor, $"writev {slot} {Sizes(room, out size)}"); break;
            case 6: Do(actor, $"sendmsg {slot} {flags} {Sizes(room, out size)}"); break;
            case 7: Do(actor, $"{(awaited ? "sendmsg" : "sendmmsg")} {slot} {flags} {Sizes(room, out size)}"); break;
            case 8: Do(actor, $"pwritev2 {slot} {(OneIn(2) ? DoNotWait : 0)} {Sizes(room, out size)}"); break;
            default:
                if (size == 0) size = 1;
                Do(actor, OneIn(2) ? $"sendfile {slot} {size} {(OneIn(3) ? 100 : 0)}" : $"splicein {slot} {size} {(OneIn(3) ? 2 : 0)}");
                break;
        }
        connection.Outstanding[to.Side] += size;
        if (size > 0) Wake(connection, 1 - to.Side);
        if (OneIn(100) && !connection.Spent)
        {
            Do(actor, $"send {slot} 1 {Urgent | NoSignal}");
            connection.Outstanding[to.Side]++;
            connection.Spent = true;
        }
        if (OneIn(100)) Do(actor, $"sendbad {slot} 10");
    }

    private void Receive(Actor actor, int slot, Slot from)
    {
        Connection connection = from.Connection!;
        int incoming = 1 - from.Side, available = connection.Outstanding[incoming], size = OneIn(4) ? available : Size(), flags = ReceiveFlags();
        if (IsPeekedAt(from)) return;
        bool waits = !from.Description.NonBlocking && (flags & DontWait) == 0 && !connection.Finished[incoming]
            && (available == 0 || ((flags & WaitAll) != 0 && available < size));
        // A program in which everybody sleeps shows little; and which of two sleepers on one stream wakes is chance.
        bool crowded = _actors.Any(other => other.Asleep?.Connection == connection && other.Asleep.Side == from.Side);
        if (crowded || (waits && !OneIn(3) && !from.Description.TimesOut)) { flags |= DontWait; waits = false; }
        // What else than bytes ends a wait for no bytes (an acknowledgement of the own end of stream) comes when it likes.
        bool nothing = available == 0 && !connection.Finished[incoming];
        if (nothing && size == 0) { flags |= DontWait; waits = false; }
        bool mayBlock = !from.Description.TimesOut && !from.Description.NonBlocking && (flags & DontWait) == 0;
        switch (_chance.Next(11))
        {
            case 0 or 1 when !crowded && (flags & ~DontWait) == 0 && (mayBlock || from.Description.NonBlocking || available > 0):
                Do(actor, $"{(OneIn(3) ? "sysread" : "read")} {slot} {size}", mayBlock || !from.Description.TimesOut);
                break;
            case <= 4: Do(actor, $"recv {slot} {size} {flags}", mayBlock); break;
            case 5: Do(actor, $"recvfrom {slot} {size} {flags}", mayBlock); break;
            case 6 when available > 0 && !crowded: Do(actor, $"readv {slot} {Sizes(size, out size)}", !from.Description.TimesOut); break;
            case 7: Do(actor, $"recvmmsg {slot} {flags & ~Peek | (OneIn(3) ? WaitForOne : 0) | DontWait} {Sizes(size, out size)}"); break;
            case 9: Do(actor, $"preadv2 {slot} {DoNotWait} {Sizes(size, out size)}"); waits = false; break;
            case 8 when size > 0 && available > 0 && !crowded: Do(actor, $"spliceout {slot} {size} {(OneIn(2) ? 0 : 2)}", !from.Description.TimesOut); break;
            default:
                string sizes = Sizes(size, out size);
                if (nothing && size == 0) { flags |= DontWait; waits = false; }
                Do(actor, $"recvmsg {slot} {flags} {sizes}", mayBlock && (flags & DontWait) == 0);
                break;
        }
        if (waits && mayBlock) Sleep(actor, from, size, flags);
        else if ((flags & Peek) == 0) connection.Outstanding[incoming] = Math.Max(0, available - size);
        if (OneIn(100)) Do(actor, $"recvbad {slot} 10");
    }

    private int ReceiveFlags()
    {
        if (!OneIn(3)) return OneIn(2) ? DontWait : 0;
        return OneOf(Peek, Peek | DontWait, WaitAll, WaitAll | DontWait, Truncate, Truncate | DontWait, Peek | Truncate, Peek | WaitAll, NoSignal, 0x40000000, Urgent, 0x2000);
    }

    private static void Sleep(Actor actor, Slot on, int size, int flags)
    {
        int incoming = 1 - on.Side, available = on.Connection!.Outstanding[incoming];
        actor.Asleep = on;
        actor.Peeks = (flags & Peek) != 0;
        // One that waits for all has taken what was there.
        int taken = actor.Peeks ? 0 : Math.Min(available, size);
        on.Connection.Outstanding[incoming] -= taken;
        actor.Takes = actor.Peeks ? 0 : size - taken;
        actor.Needs = (flags & WaitAll) != 0 ? size - taken : 1;
    }

    /// <summary>True if somebody sleeps until all that it wants to look at is there: another reader would take it from under its eyes, which the kernel does not hide.</summary>
    private bool IsPeekedAt(Slot slot) => _actors.Any(actor => actor.Peeks && actor.Asleep?.Connection == slot.Connection && actor.Asleep?.Side == slot.Side);

    /// <summary>Something has come for one side of a connection: whoever sleeps there has probably woken.</summary>
    private void Wake(Connection connection, int side)
    {
        foreach (Actor actor in _actors.Where(actor => actor.Asleep?.Connection == connection && actor.Asleep.Side == side))
        {
            ref int outstanding = ref connection.Outstanding[1 - side];
            if (outstanding < actor.Needs && !connection.Finished[1 - side]) continue;
            outstanding -= Math.Min(outstanding, actor.Takes);
            actor.Asleep = null;
            actor.Peeks = false;
        }
    }
}
