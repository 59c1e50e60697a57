using System.Linq;

namespace FreeFlow.Differential.Programs;

public sealed partial class Generator
{
    private void EndStream(Actor actor)
    {
        if (AnySlot(actor, SlotKind.Stream) is not { } pick) return;
        Slot slot = pick.Value;
        switch (_chance.Next(9))
        {
            case 0: Do(actor, $"shutdown {pick.Key} 0"); slot.Connection!.Finished[1 - slot.Side] = true; Wake(slot.Connection, slot.Side); break;
            case 1 or 2 or 3: Do(actor, $"shutdown {pick.Key} 1"); Finish(slot); break;
            case 4: Do(actor, $"shutdown {pick.Key} 2"); Finish(slot); slot.Connection!.Finished[1 - slot.Side] = true; Wake(slot.Connection, slot.Side); break;
            case 5: Do(actor, $"linger {pick.Key} {OneOf("1 0", "1 0", "1 2", "0 0")}"); Close(actor, pick.Key); break;
            case 7 when OneIn(3): Dissolve(actor, pick.Key, slot); break;
            case 6 when !IsPeekedAt(slot): Do(actor, $"recvall {pick.Key} -1 20000", true); Close(actor, pick.Key); break;
            default: Close(actor, pick.Key); break;
        }
    }

    /// <summary>The connection is reset, and its socket unconnected; nobody may sleep on it then, for whom the kernel has no answer that is known.</summary>
    private void Dissolve(Actor actor, int number, Slot slot)
    {
        if (MustStay(actor, number) || _actors.Any(other => other.Asleep?.Connection == slot.Connection && other.Asleep?.Side == slot.Side)) return;
        Do(actor, $"dissolve {number}");
        slot.Connection!.Spent = true;
        slot.Connection.Finished[1 - slot.Side] = true;
        Finish(slot);
    }

    private void Close(Actor actor, int number)
    {
        Slot slot = actor.Table.Slots[number];
        if (MustStay(actor, number)) return;
        Do(actor, OneIn(6) ? $"closerange {number} 0" : $"close {number}");
        actor.Table.Slots.Remove(number);
        if (slot.Kind == SlotKind.Stream && !IsHeld(slot)) Finish(slot);
    }

    /// <summary>
    /// True if nobody knows what a thread that waits on the slot would hear of: one that polls it (select(2), NOTES).
    /// </summary>
    private static bool MustStay(Actor actor, int number) => actor.Table.Polled.Contains(number);

    private bool IsHeld(Slot slot) => _actors.Any(actor => actor.Table.Slots.Values.Any(other => other.Connection == slot.Connection && other.Side == slot.Side));

    private void Finish(Slot slot)
    {
        slot.Connection!.Finished[slot.Side] = true;
        Wake(slot.Connection, 1 - slot.Side);
    }
}
