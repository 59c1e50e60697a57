using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using NUnit.Framework;

namespace FreeFlow.Locations.Tests.Locations;

public sealed class LineReaderTests
{
    [Test]
    public async Task Lines_come_whole_whatever_their_length_and_the_pieces_they_arrive_in()
    {
        Random random = new(1);
        string[] expected = [.. Enumerable.Range(0, 200).Select(_ => new string('x', random.Next(1, 1 << random.Next(1, 17))))];
        byte[] bytes = Encoding.ASCII.GetBytes(string.Join('\n', expected) + "\n\nhalf");
        using TornStream stream = new(bytes, random);
        LineReader reader = new(stream, 1 << 20);
        List<string> lines = [];
        while (await reader.ReadAsync(CancellationToken.None) is { } line) lines.Add(Encoding.ASCII.GetString(line.Span));
        Assert.That(lines, Is.EqualTo(expected));
    }

    [Test]
    public void A_line_without_end_is_an_error_not_memory()
    {
        using MemoryStream stream = new(new byte[200_000]);
        LineReader reader = new(stream, 100_000);
        Assert.That(async () => await reader.ReadAsync(CancellationToken.None), Throws.InstanceOf<InvalidDataException>());
    }

    private sealed class TornStream(byte[] bytes, Random random) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken stop = default) => base.ReadAsync(buffer[..Math.Min(buffer.Length, random.Next(1, 5000))], stop);
    }
}
