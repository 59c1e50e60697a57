using System;
using System.Collections.Generic;
using System.Globalization;
using FreeFlow.Lab;
using Spectre.Console;

namespace FreeFlow.Bench.Instructions;

/// <summary><c>make count</c>: instructions of a send, a receive and an epoll wait on a ring, and of a call that is none of FreeFlow's.</summary>
internal static class InstructionReport
{
    private const int PlainPort = 8050, RingPort = 8051, CrowdPort = 8052, Crowd = 4000;

    /// <summary>Counts and compares with the record, or makes it (<paramref name="record"/>). Returns the exit code: 1 when a call has become over 10 % longer.</summary>
    internal static int Run(bool record)
    {
        Progress.Show("instructions", "counting");
        using ContainerPair pair = ContainerPair.Start();
        _ = pair.StartRouter();
        SortedDictionary<string, double> plain = InstructionCounts.Take(pair.First, Measuring.Testbed.Probe, pair.Folder, PlainPort, accelerated: false);
        SortedDictionary<string, double> ring = InstructionCounts.Take(pair.First, Measuring.Testbed.Probe, pair.Folder, RingPort, accelerated: true);
        Progress.Show("instructions beside 4,000 idle connections", "counting");
        SortedDictionary<string, double> crowd = InstructionCounts.Take(pair.First, Measuring.Testbed.Probe, pair.Folder, CrowdPort, accelerated: true, Crowd);
        Progress.Clear();
        SortedDictionary<string, double> known = InstructionCounts.ReadRecord();
        Table table = new() { Border = TableBorder.Rounded };
        table.AddColumn("call");
        foreach (string head in (string[])["libc alone", "preloaded, in a ring", "on record", "difference", "beside 4,000 idle ones"]) table.AddColumn(new TableColumn(head) { Alignment = Justify.Right });
        bool longer = false;
        foreach ((string call, double count) in ring)
        {
            bool compared = known.TryGetValue(call, out double before);
            longer |= compared && count > before * 1.1;
            string difference = compared ? string.Create(CultureInfo.InvariantCulture, $"{count - before:+0.0;-0.0;0}") : "new";
            table.AddRow(call, Number(plain[call]), Number(count), compared ? Number(before) : "–", difference, Number(crowd[call]));
        }
        Terminal.Create().Write(table);
        if (record) InstructionCounts.WriteRecord(ring);
        return longer && !record ? 1 : 0;
    }

    private static string Number(double count) => count.ToString("0.0", CultureInfo.InvariantCulture);
}
