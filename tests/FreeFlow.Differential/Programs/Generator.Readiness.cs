using System.Collections.Generic;
using System.Linq;

namespace FreeFlow.Differential.Programs;

public sealed partial class Generator
{
    private const uint In = 1, Priority = 2, Out = 4, HalfClosed = 0x2000, Edge = 0x80000000, OneShot = 0x40000000, Exclusive = 0x10000000, Readable = 0x40, Writable = 0x100;

    private void Look(Actor actor)
    {
        switch (_chance.Next(10))
        {
            case < 3: Poll(actor); break;
            case 3: Select(actor); break;
            case 4 when actor.Table.Free >= 0:
                int set = actor.Table.Free;
                actor.Table.Slots[set] = new Slot(SlotKind.Epoll, null, 0, new Description());
                Do(actor, $"epnew {(OneIn(2) ? 1 : 0)} {set}");
                Register(actor, set);
                break;
            case < 7: if (AnySlot(actor, SlotKind.Epoll) is { } known) Register(actor, known.Key); break;
            default: WaitForEvents(actor); break;
        }
    }

    /// <summary>
    /// True if poll(2) may look at it: a set that is looked at as a whole for the first time tells once more what an edge-triggered registration has told of bytes in the
    /// kernel, such as urgent ones.
    /// </summary>
    private bool MayLook(Slot slot) => slot.Kind == SlotKind.Stream || !_connections.Any(connection => connection.Spent);

    private void Poll(Actor actor)
    {
        List<int> polled = [];
        IEnumerable<string> wanted = actor.Table.Slots.Where(slot => MayLook(slot.Value) && OneIn(2)).Take(4).Select(slot => $"{(OneIn(12) ? -1 : Noted(polled, slot.Key))} {OneOf<uint>(0, In, Out, In | Out, In | HalfClosed, In | Out | HalfClosed, In | Priority | HalfClosed, HalfClosed, Readable, Writable)}");
        string list = string.Join(' ', wanted);
        if (list.Length == 0) return;
        bool forever = OneIn(25);
        if (forever) { actor.Lost = true; actor.Table.Polled.UnionWith(polled); }
        Do(actor, $"{WithSignal(OneOf("poll", "ppoll"), forever)} {(forever ? -1 : OneIn(5) ? 3 : 0)} {list}", forever);
    }

    /// <summary>Now and then a signal waits that the call's mask lets in.</summary>
    private string WithSignal(string call, bool forever) => !forever && _second.Next(6) == 0 ? $"let {call}" : call;

    private static int Noted(List<int> list, int number)
    {
        list.Add(number);
        return number;
    }

    private void Select(Actor actor)
    {
        string list = string.Join(' ', actor.Table.Slots.Where(slot => MayLook(slot.Value) && OneIn(2)).Take(4).Select(slot => $"{slot.Key} {1 + _chance.Next(7)}"));
        if (list.Length > 0) Do(actor, $"{WithSignal(OneOf("select", "pselect"), false)} {(OneIn(5) ? 3 : 0)} {list}");
    }

    private void Register(Actor actor, int set)
    {
        const int add = 1, remove = 2, change = 3;
        KeyValuePair<int, Slot>[] others = [.. actor.Table.Slots.Where(slot => slot.Key != set && (slot.Value.Kind == SlotKind.Stream || OneIn(8)))];
        if (others.Length == 0) return;
        int of = OneOf(others).Key;
        uint events = OneOf(In, In, Out, In | Out, In | HalfClosed, In | Out | HalfClosed, In | Priority, 0u);
        if (OneIn(3)) events |= Edge;
        if (OneIn(6)) events |= OneShot;
        if (OneIn(20)) events |= OneOf(Readable, Writable);
        Description description = actor.Table.Slots[set].Description;
        if (OneIn(12)) { events |= Exclusive; description.Exclusive = true; }
        int operation = OneIn(3) ? OneOf(remove, change, change) : add;
        if (operation == add) { description.Registered++; description.Added = of; }
        string step = $"epctl {set} {operation} {of} {events} {(set * 100) + of}";
        // What a relative changes in a set that both have, the shim of the other does not hear.
        if (!description.Inherited) Do(actor, step);
    }

    private void WaitForEvents(Actor actor)
    {
        if (AnySlot(actor, SlotKind.Epoll) is not { } pick) return;
        // Of several sets in which a connection is by EPOLLEXCLUSIVE any one hears of it, if somebody sleeps there (epoll_ctl(2)).
        bool forever = OneIn(20) && !pick.Value.Description.Exclusive;
        if (forever) actor.Lost = true;
        // With room for fewer than there are, which come first is the kernel's choice; and of a socket that this process has closed, and a relative has, it is not asked.
        int room = pick.Value.Description.Registered == 1 && actor.Table.Slots.ContainsKey(pick.Value.Description.Added) && _second.Next(2) == 0 ? 1 : 16;
        Do(actor, $"{WithSignal(OneOf("epwait", "epwait", "eppwait", "eppwait2"), forever)} {pick.Key} {room} {(forever ? -1 : OneIn(5) ? 3 : 0)}", forever);
    }
}
