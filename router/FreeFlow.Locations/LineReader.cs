using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;

namespace FreeFlow.Locations;

/// <summary>Cuts a stream of bytes into lines: etcd and Kubernetes send one JSON object a line.</summary>
/// <param name="stream">The stream; the caller keeps it.</param>
/// <param name="longest">A line longer than this is an error: the other side shall not fill our memory.</param>
public sealed class LineReader(Stream stream, int longest)
{
    private byte[] _buffer = new byte[16 << 10];
    private int _start, _end, _searched;

    /// <summary>The next line without its end, valid until the next call; null at the end of the stream (a last line without end is lost: it is half an object).</summary>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(CancellationToken stop)
    {
        while (true)
        {
            int end = _buffer.AsSpan(_searched, _end - _searched).IndexOf((byte)'\n');
            if (end >= 0)
            {
                Memory<byte> line = _buffer.AsMemory(_start, _searched + end - _start);
                _start = _searched = _searched + end + 1;
                if (line.Length == 0) continue;
                return line;
            }
            _searched = _end;
            if (_end == _buffer.Length) MakeRoom();
            int count = await stream.ReadAsync(_buffer.AsMemory(_end), stop).ConfigureAwait(false);
            if (count == 0) return null;
            _end += count;
        }
    }

    private void MakeRoom()
    {
        int length = _end - _start;
        if (length >= longest) throw new InvalidDataException($"a line of more than {longest} bytes");
        byte[] target = length > _buffer.Length / 2 ? new byte[Math.Min((long)_buffer.Length * 2, (long)longest + 1)] : _buffer;
        Buffer.BlockCopy(_buffer, _start, target, 0, length);
        _buffer = target;
        _start = 0;
        _searched = _end = length;
    }
}
