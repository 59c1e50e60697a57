using System.Collections.Generic;
using System.Linq;

namespace FreeFlow.Differential.Programs;

public sealed partial class Generator
{
    private int _children;

    private void Spread(Actor actor)
    {
        int what = _chance.Next(6);
        // Unread bytes that somebody looks at go with a descriptor to the other program, if the peer cannot send them again.
        if (what is 2 or 3 or 4 && actor.Table.Slots.Values.Any(slot => slot.Kind == SlotKind.Stream && IsPeekedAt(slot))) return;
        switch (what)
        {
            case 0 or 1 when _children < 4:
                foreach (Slot set in actor.Table.Slots.Values) if (set.Kind == SlotKind.Epoll) set.Description.Inherited = true;
                Actor child = new($"c{_children++}", actor.Table.Fork());
                Do(actor, $"fork {child.Name}");
                _actors.Add(child);
                if (OneIn(2)) PartFrom(OneIn(2) ? actor : child);
                break;
            case 2 when _children < 4 && MayExec(actor): Spawn(actor); break;
            case 3 when actor.IsChild && MayExec(actor):
                Drain(actor);
                KeepOverExec(actor);
                Do(actor, $"exec {(OneIn(3) ? 1 : 0)}");
                break;
            case 4: Pass(actor); break;
            default: if (actor.IsChild && OneIn(3)) End(actor); break;
        }
    }

    private bool MayExec(Actor actor)
    {
        Slot[] sets = [.. actor.Table.Slots.Values.Where(slot => slot.Kind == SlotKind.Epoll)];
        if (sets.Length != 0 && !OneIn(3)) return false;
        foreach (Slot set in sets) set.Description.Inherited = true;
        return true;
    }

    /// <summary>The usual thing after fork: one side lets the connection go.</summary>
    private void PartFrom(Actor actor)
    {
        foreach (int number in actor.Table.Slots.Where(slot => slot.Value.Kind == SlotKind.Stream).Select(slot => slot.Key).ToArray()) Close(actor, number);
    }

    private void Spawn(Actor actor)
    {
        Drain(actor);
        KeepOverExec(actor);
        Actor child = new($"c{_children++}", actor.Table.Fork());
        Do(actor, $"spawn {child.Name} {(OneIn(3) ? 1 : 0)}");
        _actors.Add(child);
        if (OneIn(2)) PartFrom(actor);
    }

    private void Pass(Actor actor)
    {
        if (AnySlot(actor, SlotKind.Stream) is not { } pick) return;
        Actor[] takers = [.. _actors.Where(other => other != actor && other.Idle && other.Table.Free >= 0 && other.Table != actor.Table)];
        if (takers.Length == 0) return;
        Actor taker = OneOf(takers);
        Drain(actor);
        int free = taker.Table.Free;
        Do(actor, $"pass {pick.Key} {taker.Name}");
        // On its way it is held, too.
        taker.Table.Slots[free] = pick.Value;
        if (OneIn(3)) Close(actor, pick.Key);
        Do(taker, $"take {free}");
    }

    /// <summary>
    /// Reads everything before descriptors change hands: unread bytes in a ring need the peer's help to go back (README), and here the peer stands still.
    /// </summary>
    private void Drain(Actor actor)
    {
        foreach ((int number, Slot slot) in actor.Table.Slots)
        {
            if (slot.Kind != SlotKind.Stream) continue;
            if (IsPeekedAt(slot)) continue;
            Do(actor, $"recvall {number} -1 20000", true);
            slot.Connection!.Outstanding[1 - slot.Side] = 0;
        }
    }

    private void KeepOverExec(Actor actor)
    {
        foreach (int number in actor.Table.Slots.Keys) if (!OneIn(4)) Do(actor, $"setfd {number} 0");
    }

    private void End(Actor actor)
    {
        // Half of them leave the closing to the kernel.
        if (_steps.Count % 2 == 0) PartFrom(actor);
        Do(actor, "exit");
        Slot[] held = [.. actor.Table.Slots.Values];
        actor.Table.Slots.Clear();
        actor.Lost = true;
        foreach (Slot slot in held.Where(slot => slot.Kind == SlotKind.Stream && !IsHeld(slot))) Finish(slot);
    }

    private void Signal()
    {
        Actor? sleeper = _actors.FirstOrDefault(actor => actor.Asleep is not null || (actor.Lost && actor.Table.Slots.Count > 0));
        if (sleeper is null) { Do(OneOf(_actors.Where(actor => actor.Idle).ToArray()), $"sigmode {(OneIn(2) ? 1 : 0)}"); return; }
        _steps.Add($"* signal {sleeper.Name}");
    }
}
