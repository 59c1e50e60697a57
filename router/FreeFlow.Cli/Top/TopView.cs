using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using FreeFlow.Cli.Status;
using FreeFlow.Native;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace FreeFlow.Cli.Top;

/// <summary>What is on the screen, for a terminal of any size from 80x24 on.</summary>
internal sealed class TopView
{
    private const int Around = 5; // headline, links, the table's heading, keys, and one that stays empty

    /// <summary>With a blank behind each they leave 10 columns of 80 to the reason.</summary>
    private static readonly (string Heading, int Width)[] s_columns =
        [("PROGRAM", 15), ("CONTAINER", 9), ("SERVICE", 11), (">OPEN", 5), (">RING", 5), (">ENDED", 5), (">RING/s", 6), (">KERN/s", 6)];

    public StatusOrder Sort { get; private set; } = StatusOrder.Bytes;

    public bool IsPaused { get; private set; }

    /// <summary>Only what contains this.</summary>
    public string Filter { get; private set; } = "";

    /// <summary>Letters go into the filter.</summary>
    public bool IsTyping { get; private set; }

    /// <summary>The first row that is shown.</summary>
    public int First { get; private set; }

    /// <summary>Takes a key; false if it ends the view.</summary>
    public bool Press(ConsoleKeyInfo key)
    {
        if (IsTyping)
        {
            if (key.Key is ConsoleKey.Enter) IsTyping = false;
            else if (key.Key is ConsoleKey.Escape) (IsTyping, Filter) = (false, "");
            else if (key.Key is ConsoleKey.Backspace) Filter = Filter.Length > 0 ? Filter[..^1] : "";
            else if (!char.IsControl(key.KeyChar) && Filter.Length < 32) Filter += key.KeyChar;
            First = 0;
            return true;
        }
        switch (key.KeyChar)
        {
            case 'q' or '\u0003': return false;
            case 'p' or ' ': IsPaused = !IsPaused; break;
            case 's': Sort = (StatusOrder)(((int)Sort + 1) % 4); break;
            case '/': IsTyping = true; break;
        }
        if (key.Key == ConsoleKey.DownArrow) First++;
        if (key.Key == ConsoleKey.UpArrow) First = Math.Max(0, First - 1);
        return true;
    }

    /// <summary>The screen.</summary>
    public IRenderable Render(TopModel model, string? problem, int width, int height)
    {
        TopRow[] rows = [.. Ordered(model.Rows.Where(row => $"{row.Program} {row.Container} {row.Service}".Contains(Filter, StringComparison.OrdinalIgnoreCase)))];
        int room = Math.Max(1, height - Around);
        First = Math.Clamp(First, 0, Math.Max(0, rows.Length - room));
        Spectre.Console.Table table = new() { Border = TableBorder.None };
        foreach ((string heading, int most) in s_columns)
        {
            TableColumn column = new(new Text(heading.TrimStart('>'))) { NoWrap = true, Width = most, Padding = new Padding(0, 0, 1, 0) };
            table.AddColumn(heading[0] == '>' ? column.RightAligned() : column);
        }
        int last = Math.Max(8, width - s_columns.Sum(column => column.Width + 1));
        table.AddColumn(new TableColumn(new Text("WHY NOT")) { NoWrap = true, Width = last, Padding = new Padding(0) });
        foreach (TopRow row in rows.Skip(First).Take(room))
        {
            string[] cells =
            [
                row.Program, row.Container, row.Service, Number(row.Open), Number(row.OpenInRing), Number(row.Ended), Units.Bytes((long)row.Ring), Units.Bytes((long)row.Kernel),
            ];
            table.AddRow([.. cells.Select((cell, column) => Cell(cell, s_columns[column].Width)), Cell(row.Reason, last)]);
        }
        string keys = IsTyping ? $"filter: {Filter}_  (Enter, Esc)" : $"q quit  p {(IsPaused ? "go on" : "pause")}  s sort: {Sort}  / filter{(Filter.Length > 0 ? $": {Filter}" : "")}  {rows.Length} services";
        return new Rows(Line(model.Headline), Line(problem ?? model.Links), table, Line(keys));
    }

    private IEnumerable<TopRow> Ordered(IEnumerable<TopRow> rows) => Sort switch
    {
        StatusOrder.Program => rows.OrderBy(row => row.Program).ThenBy(row => row.Service),
        StatusOrder.Connections => rows.OrderByDescending(row => row.Open),
        StatusOrder.Ring => rows.OrderByDescending(row => row.Ring),
        _ => rows.OrderByDescending(row => row.Ring + row.Kernel).ThenByDescending(row => row.Open),
    };

    /// <summary>What a program calls itself cannot drive the terminal.</summary>
    private static Text Cell(string text, int most)
    {
        string plain = PrintableText.Of(text);
        return new(plain.Length > most ? plain[..(most - 1)] + "…" : plain) { Overflow = Overflow.Ellipsis };
    }

    private static Text Line(string text) => new(PrintableText.Of(text.Length > 0 ? text : " ")) { Overflow = Overflow.Ellipsis };

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
