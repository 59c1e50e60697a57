using System;
using System.Collections.Generic;
using System.Linq;

namespace FreeFlow.Differential.Programs;

/// <summary>
/// Makes a program from a seed. It has one outcome on the kernel by construction: one actor acts at a time, and every step begins when the kernel has
/// delivered what was sent before (native/settle.c). Where actors do act at once (floods), only what must come out is asked.
/// </summary>
public sealed partial class Generator
{
    /// <summary>So few bytes always fit the kernel's buffers: a send takes them whole and at once, on every road.</summary>
    private const int FitsAlways = 30_000;

    private readonly Random _chance;

    /// <summary>For what was thought of later: the programs of the seeds that are known stay what they are otherwise.</summary>
    private readonly Random _second;

    private readonly List<string> _steps = [];
    private readonly List<Connection> _connections = [];
    private readonly List<Actor> _actors;
    private readonly Flavour _flavour;

    private Generator(int seed)
    {
        _chance = new Random(seed);
        _second = new Random(~seed);
        Table a = new(0), b = new(1);
        _actors = [new("a0", a), new("a1", a), new("b0", b), new("b1", b)];
        _flavour = OneOf(Flavour.All);
    }

    /// <summary>The same seed makes the same program.</summary>
    public static SocketProgram Make(int seed)
    {
        Generator generator = new(seed);
        generator.Build();
        return new SocketProgram(seed, generator._steps);
    }

    private void Build()
    {
        Connect();
        if (OneIn(4)) Connect();
        int length = 10 + _chance.Next(40);
        while (_steps.Count < length)
        {
            Actor[] idle = [.. _actors.Where(actor => actor.Idle)];
            if (idle.Length == 0) return;
            Actor actor = OneOf(idle);
            if (actor.Table.Slots.Count == 0) { if (actor.IsChild && OneIn(4)) End(actor); else if (OneIn(8)) Connect(); continue; }
            Step(actor);
        }
    }

    private void Step(Actor actor)
    {
        int roll = _chance.Next(_flavour.Transfers + _flavour.Readiness + _flavour.Ends + _flavour.Descriptors + _flavour.Options + _flavour.Processes + _flavour.Signals + _flavour.Floods);
        if ((roll -= _flavour.Transfers) < 0) Transfer(actor);
        else if ((roll -= _flavour.Readiness) < 0) Look(actor);
        else if ((roll -= _flavour.Ends) < 0) EndStream(actor);
        else if ((roll -= _flavour.Descriptors) < 0) Describe(actor);
        else if ((roll -= _flavour.Options) < 0) Adjust(actor);
        else if ((roll -= _flavour.Processes) < 0) Spread(actor);
        else if ((roll -= _flavour.Signals) < 0) Signal();
        else Flood();
    }

    private void Connect()
    {
        if (_connections.Count == 6) return;
        Actor[] dialers = [.. _actors.Where(actor => actor.Idle && actor.Table.Free >= 0)];
        if (dialers.Length == 0) return;
        Actor dialer = OneOf(dialers);
        // The same process may hold both ends, in two threads.
        Actor[] answerers = [.. dialers.Where(actor => actor != dialer && !actor.IsChild && (actor.Table != dialer.Table || OneIn(6)))];
        if (answerers.Length == 0) return;
        Actor answerer = OneOf(answerers);
        Connection connection = new(_connections.Count);
        bool later = OneIn(4);
        int flags = OneIn(3) ? OneOf(0x800, 0x80000, 0x80800) : 0;
        Slot first = new(SlotKind.Stream, connection, 0, new Description { NonBlocking = later });
        Slot second = new(SlotKind.Stream, connection, 1, new Description { NonBlocking = (flags & 0x800) != 0 });
        int from = dialer.Table.Free;
        dialer.Table.Slots[from] = first;
        int to = answerer.Table.Free;
        if (to < 0) { dialer.Table.Slots.Remove(from); return; }
        answerer.Table.Slots[to] = second;
        _connections.Add(connection);
        _steps.Add($"* pair {connection.Number} {dialer.Name} {from} {answerer.Name} {to} {(OneIn(4) ? 1 : 0)} {(later ? 1 : 0)} {flags} {(OneIn(5) ? 0 : 1)}");
    }

    private void Do(Actor actor, string step, bool mayBlock = false) => _steps.Add($"{actor.Name}{(mayBlock ? "&" : "")} {step}");

    private bool OneIn(int count) => _chance.Next(count) == 0;

    private T OneOf<T>(params T[] choices) => choices[_chance.Next(choices.Length)];

    private KeyValuePair<int, Slot>? AnySlot(Actor actor, SlotKind kind)
    {
        KeyValuePair<int, Slot>[] slots = [.. actor.Table.Slots.Where(slot => slot.Value.Kind == kind)];
        return slots.Length == 0 ? null : OneOf(slots);
    }

    private int Size() => _chance.Next(10) switch
    {
        0 => _chance.Next(3),
        < 5 => 1 + _chance.Next(100),
        < 8 => 100 + _chance.Next(3000),
        _ => 3000 + _chance.Next(12000),
    };

    /// <summary>Sizes of a vector, some of them 0.</summary>
    private string Sizes(int most, out int total)
    {
        List<int> sizes = [.. Enumerable.Range(0, 1 + _chance.Next(5)).Select(_ => OneIn(6) ? 0 : 1 + _chance.Next(Math.Max(1, Math.Min(most / 5, 4000))))];
        total = sizes.Sum();
        return string.Join(' ', sizes);
    }
}
