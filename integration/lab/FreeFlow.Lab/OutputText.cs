using System;
using System.IO;
using System.Text;

namespace FreeFlow.Lab;

/// <summary>Collects what a process writes; may be read while it is still being written.</summary>
internal sealed class OutputText : TextWriter
{
    private readonly StringBuilder _text = new();

    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value)
    {
        lock (_text) _text.Append(value);
    }

    public override void Write(char[] buffer, int index, int count)
    {
        lock (_text) _text.Append(buffer, index, count);
    }

    public override void Write(ReadOnlySpan<char> buffer)
    {
        lock (_text) _text.Append(buffer);
    }

    public override string ToString()
    {
        lock (_text) return _text.ToString();
    }
}
