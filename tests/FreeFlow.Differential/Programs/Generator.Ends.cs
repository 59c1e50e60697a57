using System.Linq;

namespace FreeFlow.Differential.Programs;

public sealed partial class Generator
{
    private void EndStream(Actor actor)
    {
        if (AnySlot(actor, SlotKind.Stream) is not { } pick) return;
        Slot slot = pick.Value;
        switch (_chance.Next(8))
        {
            case 0: Do(actor, $"shutdown {pick.Key} 0"); slot.Connection!.Finished[1 - slot.Side] = true; Wake(slot.Connection, slot.Side); break;
            case 1 or 2 or 3: Do(actor, $"shutdown {pick.Key} 1"); Finish(slot); break;
            case 4: Do(actor, $"shutdown {pick.Key} 2"); Finish(slot); slot.Connection!.Finished[1 - slot.Side] = true; Wake(slot.Connection, slot.Side); break;
            case 5: Do(actor, $"linger {pick.Key} 1 0"); Close(actor, pick.Key); break;
            case 6 when !IsPeekedAt(slot): Do(actor, $"recvall {pick.Key} -1 20000", true); Close(actor, pick.Key); break;
            default: Close(actor, pick.Key); break;
        }
    }

    private void Close(Actor actor, int number)
    {
        Slot slot = actor.Table.Slots[number];
        if (MustStay(actor, number, slot)) return;
        Do(actor, $"close {number}");
        actor.Table.Slots.Remove(number);
        if (slot.Kind == SlotKind.Stream && !IsHeld(slot)) Finish(slot);
    }

    /// <summary>
    /// True if nobody knows what a thread that waits on the slot would hear of: one that polls it (select(2), NOTES), and one that sleeps in a receive on a connection that
    /// has gone back to the kernel, which the shim finds again only after some seconds.
    /// </summary>
    private bool MustStay(Actor actor, int number, Slot slot) => actor.Table.Polled.Contains(number)
        || (slot.Connection is { Given: true } && _actors.Any(other => other.Table == actor.Table && other.Asleep?.Connection == slot.Connection && other.Asleep?.Side == slot.Side));

    private bool IsHeld(Slot slot) => _actors.Any(actor => actor.Table.Slots.Values.Any(other => other.Connection == slot.Connection && other.Side == slot.Side));

    private void Finish(Slot slot)
    {
        slot.Connection!.Finished[slot.Side] = true;
        Wake(slot.Connection, 1 - slot.Side);
    }
}
