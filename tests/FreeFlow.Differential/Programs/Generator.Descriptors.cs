using System.Collections.Generic;
using System.Linq;

namespace FreeFlow.Differential.Programs;

public sealed partial class Generator
{
    private void Describe(Actor actor)
    {
        if (AnySlot(actor, SlotKind.Stream) is not { } pick) return;
        int free = actor.Table.Free, number = pick.Key;
        switch (_chance.Next(11))
        {
            case 0 or 1 when free >= 0:
                Do(actor, OneIn(2) ? $"dup {number} {free}" : $"dupfd {number} {OneOf(3, 50, 200)} {(OneIn(2) ? 1 : 0)} {free}");
                actor.Table.Slots[free] = pick.Value;
                break;
            case 2:
                KeyValuePair<int, Slot> onto = AnySlot(actor, OneIn(6) ? SlotKind.Epoll : SlotKind.Stream) ?? pick;
                if (MustStay(actor, onto.Key)) break;
                Do(actor, OneIn(2) ? $"dup2 {number} {onto.Key}" : $"dup3 {number} {onto.Key} {(OneIn(2) ? 0x80000 : 0)}");
                if (onto.Key == number) break;
                actor.Table.Slots[onto.Key] = pick.Value;
                if (onto.Value.Kind == SlotKind.Stream && !IsHeld(onto.Value)) Finish(onto.Value);
                break;
            case 3 or 4:
                bool on = OneIn(2);
                Do(actor, $"{OneOf("nonblock", "fionbio")} {number} {(on ? 1 : 0)}");
                pick.Value.Description.NonBlocking = on;
                break;
            case 5: Do(actor, $"getfl {number}"); break;
            case 6: Do(actor, $"setfd {number} {(OneIn(2) ? 1 : 0)}"); break;
            case 7: Do(actor, $"fionread {number}"); break;
            case 8 when free >= 0 && OneIn(2):
                Do(actor, $"pidfdget {number} {free}");
                actor.Table.Slots[free] = pick.Value;
                break;
            case 9: Do(actor, OneIn(2) ? $"borrow {number}" : $"closerange {number} 4"); break;
            default: Do(actor, $"{OneOf("fionread", "names", "atmark")} {number}"); break;
        }
    }

    private void Adjust(Actor actor)
    {
        if (AnySlot(actor, SlotKind.Stream) is not { } pick) return;
        int number = pick.Key;
        switch (_chance.Next(10))
        {
            case 0 or 1:
                bool on = !OneIn(3);
                Do(actor, $"rcvtimeo {number} {(on ? Time() : 0)}");
                pick.Value.Description.TimesOut = on;
                break;
            case 2: Do(actor, $"sndtimeo {number} {(OneOf(0, 20) == 0 ? 0 : Time())}"); break;
            case 3: Do(actor, $"setopt {number} {OneOf("nodelay", "keepalive", "oobinline", "quickack", "priority", "tos", "notsent")} {(OneIn(2) ? 1 : 0)}"); break;
            case 4: Do(actor, $"setopt {number} {OneOf("rcvbuf", "sndbuf")} {OneOf(100_000, 200_000)}"); break;
            case 5:
                int least = OneOf(1, 1, 10, 1000);
                // What a call asks for that sleeps already is one thing to the kernel when it begins and another when something comes.
                if (!_actors.Any(other => other.Asleep?.Connection == pick.Value.Connection && other.Asleep?.Side == pick.Value.Side)) Do(actor, $"setopt {number} rcvlowat {least}");
                break;
            case 6:
                int size = 1 + _chance.Next(3000);
                if (pick.Value.Connection!.Outstanding[pick.Value.Side] + size > FitsAlways) break;
                Do(actor, $"corked {number} {size}");
                pick.Value.Connection.Outstanding[pick.Value.Side] += size;
                Wake(pick.Value.Connection, 1 - pick.Value.Side);
                break;
            case 7: Do(actor, OneIn(2) ? $"tcpstate {number}" : $"outq {number}"); break;
            default: Do(actor, $"getopt {number} {OneOf("error", "error", "type", "acceptconn", "protocol", "domain", "keepalive", "rcvlowat", "nodelay", "cork", "peekoff", "timestamp", "priority", "tos", "keepidle")}"); break;
        }
    }

    /// <summary>Milliseconds; less than none: a call does not wait.</summary>
    private int Time() => _second.Next(3) == 0 ? -1 : 20;
}
