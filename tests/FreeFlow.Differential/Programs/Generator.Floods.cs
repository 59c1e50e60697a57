using System.Collections.Generic;
using System.Linq;

namespace FreeFlow.Differential.Programs;

/// <summary>More bytes than fit, and several actors at once: here the number and size of the pieces is chance, and only the whole is compared.</summary>
public sealed partial class Generator
{
    private void Flood()
    {
        Connection? connection = _connections.FirstOrDefault(one => !one.Spent && !one.Finished[0] && !one.Finished[1]);
        if (connection is null) { Connect(); return; }
        int writer = _chance.Next(2);
        List<(Actor Actor, int Slot)> writers = Holders(connection, writer), readers = Holders(connection, 1 - writer);
        if (writers.Count == 0 || readers.Count == 0) return;
        if (readers.Any(reader => reader.Actor.Table.Slots[reader.Slot].Description.TimesOut)) return;
        (Actor from, int source) = OneOf(writers.ToArray());
        (Actor to, int target) = OneOf(readers.Where(reader => reader.Actor != from).DefaultIfEmpty((from, -1)).ToArray());
        if (target < 0) return;
        // Who sleeps on the stream would take a part of it, and nobody knows how much.
        if (_actors.Any(actor => actor.Asleep?.Connection == connection && actor.Asleep.Side != writer)) return;
        // What was sent before goes first.
        Do(to, $"recvall {target} -1 50000", true);
        connection.Outstanding[writer] = 0;
        switch (_chance.Next(4))
        {
            case 0 or 1:
                int bytes = OneOf(100_000, 300_000, 1_000_000, 3_000_000) + _chance.Next(1000);
                Do(from, $"sendall {source} {bytes} {OneOf(1000, 30_000, 200_000, 1_000_000)}", true);
                Do(to, $"recvall {target} {bytes} {OneOf(700, 16_384, 100_000, 1_000_000)}", true);
                _steps.Add($"* join {from.Name} {to.Name}");
                break;
            case 2:
                Do(from, $"fill {source} {OneOf(1000, 16_384, 100_000)}");
                // Whether there is room again at once is the kernel's chance: its two buffers go on sharing what they have.
                _ = OneIn(2);
                Do(to, $"recvall {target} -1 {OneOf(1000, 30_000, 200_000)}", true);
                Do(from, $"poll 100 {source} 4");
                break;
            default: Crowd(connection, writers, readers, from, source); break;
        }
    }

    /// <summary>Several writers and several readers on one stream, to its end.</summary>
    private void Crowd(Connection connection, List<(Actor Actor, int Slot)> writers, List<(Actor Actor, int Slot)> readers, Actor last, int slot)
    {
        readers.RemoveAll(reader => writers.Any(writer => writer.Actor == reader.Actor));
        if (readers.Count == 0) return;
        foreach ((Actor actor, int number) in readers) Do(actor, $"drink {number} 0 {OneOf(100, 3000, 60_000)}", true);
        char letter = 'a';
        foreach ((Actor actor, int number) in writers) Do(actor, $"pump {number} {20_000 + _chance.Next(200_000)} {OneOf(10, 1000, 20_000)} {letter++}", true);
        _steps.Add($"* join {string.Join(' ', writers.Select(writer => writer.Actor.Name))}");
        Do(last, $"shutdown {slot} 1");
        _steps.Add($"* join {string.Join(' ', readers.Select(reader => reader.Actor.Name))}");
        int side = last.Table.Slots[slot].Side;
        Do(last, $"tally {connection.Number} {side}");
        connection.Spent = true;
        Finish(last.Table.Slots[slot]);
    }

    /// <summary>Idle actors that hold a side of the connection, one slot each.</summary>
    private List<(Actor Actor, int Slot)> Holders(Connection connection, int side) =>
        [.. _actors.Where(actor => actor.Idle).Select(actor => (actor, actor.Table.Slots.Where(slot => slot.Value.Connection == connection && slot.Value.Side == side).Select(slot => (int?)slot.Key).FirstOrDefault() ?? -1)).Where(pair => pair.Item2 >= 0)];
}
