using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using FreeFlow.Native;

namespace FreeFlow.Cli;

/// <summary>Text in columns, two spaces apart. A heading that begins with &gt; makes a column right-aligned.</summary>
internal sealed class Table(params string[] headings)
{
    private readonly bool[] _right = headings.Select(heading => heading.StartsWith('>')).ToArray();
    private readonly List<string[]> _rows = [headings.Select(heading => heading.TrimStart('>')).ToArray()];

    /// <summary>Rows without the headings.</summary>
    public int Rows => _rows.Count - 1;

    /// <summary>One row, with as many cells as there are headings.</summary>
    public void Add(params string[] cells)
    {
        if (cells.Length != _right.Length) throw new ArgumentException($"{cells.Length} cells for {_right.Length} columns.", nameof(cells));
        _rows.Add([.. cells.Select(PrintableText.Of)]);
    }

    public override string ToString()
    {
        int[] widths = Enumerable.Range(0, _right.Length).Select(column => _rows.Max(row => row[column].Length)).ToArray();
        StringBuilder text = new();
        foreach (string[] row in _rows)
        {
            IEnumerable<string> cells = row.Select((cell, column) => _right[column] ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]));
            text.Append(string.Join("  ", cells).TrimEnd()).Append('\n');
        }
        return text.ToString();
    }
}
