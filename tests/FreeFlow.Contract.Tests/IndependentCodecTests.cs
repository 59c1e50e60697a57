using System;
using System.Buffers;
using System.Diagnostics;
using System.IO;
using System.Linq;
using MessagePack;
using NUnit.Framework;

namespace FreeFlow.Contract.Tests;

/// <summary>The same bytes as implementations that are not ours, both ways: Debian's python3-msgpack, and MessagePack's own reader and writer.</summary>
public sealed class IndependentCodecTests
{
    private const string Python = "/usr/bin/python3";

    // For each line "hex<TAB>fields": unpacking hex gives the fields, and packing the fields gives what is printed.
    private const string Script = """
        import ast, msgpack, sys
        for line in sys.stdin.buffer.read().decode().splitlines():
            encoded, fields = line.split('\t')
            fields = eval(fields, {})
            decoded = msgpack.unpackb(bytes.fromhex(encoded), strict_map_key=True)
            print(decoded == fields, msgpack.packb(fields).hex())
        """;

    [Test]
    public void Python3MsgpackReadsOursAndWritesTheSame()
    {
        if (!File.Exists(Python)) Assert.Ignore($"{Python} is not installed (apt-get install python3-msgpack)");
        SampleMessage[] samples = SampleMessage.All;
        string[] answers = Ask(string.Join('\n', samples.Select(s => Convert.ToHexString(s.Encoded) + '\t' + s.Fields)));
        Assert.That(answers, Has.Length.EqualTo(samples.Length));
        Assert.Multiple(() =>
        {
            for (int i = 0; i < samples.Length; i++)
                Assert.That(answers[i], Is.EqualTo("True " + Convert.ToHexString(samples[i].Encoded).ToLowerInvariant()), samples[i].Name);
        });
    }

    [Test]
    public void WhatPython3MsgpackWritesIsReadHere()
    {
        if (!File.Exists(Python)) Assert.Ignore($"{Python} is not installed (apt-get install python3-msgpack)");
        Random random = new(2);
        string[] lines = Enumerable.Range(0, 500).Select(_ => $"90\t[3,{Number(random)},{Number(random)},{Number(random)},{Number(random)},{Place(random)}]").ToArray();
        MessageKind offer = MessageKind.All.Single(k => k.Type == MessageType.Offer);
        foreach (string answer in Ask(string.Join('\n', lines)))
        {
            byte[] theirs = Convert.FromHexString(answer.Split(' ')[1]);
            Assert.That(offer.Recode(theirs), Is.EqualTo(theirs), answer);
        }
    }

    [Test]
    public void MessagePacksReaderReadsOursAndItsWriterWritesTheSame()
    {
        foreach (SampleMessage sample in SampleMessage.All)
            Assert.That(Transcode(sample.Encoded), Is.EqualTo(sample.Encoded), sample.Name);
    }

    [Test]
    public void WhatMessagePacksWriterWritesIsReadHere()
    {
        Random random = new(3);
        MessageKind offer = MessageKind.All.Single(k => k.Type == MessageType.Offer);
        for (int round = 0; round < 10_000; round++)
        {
            ArrayBufferWriter<byte> bytes = new();
            MessagePackWriter writer = new(bytes);
            writer.WriteArrayHeader(6);
            writer.Write((uint)MessageType.Offer);
            for (int field = 0; field < 4; field++) writer.Write(Number(random));
            writer.Write(Place(random));
            writer.Flush();
            byte[] theirs = bytes.WrittenSpan.ToArray();
            Assert.That(offer.Recode(theirs), Is.EqualTo(theirs), $"round {round}: {Convert.ToHexString(theirs)}");
        }
    }

    private static byte[] Transcode(byte[] message)
    {
        MessagePackReader reader = new(message);
        ArrayBufferWriter<byte> bytes = new();
        MessagePackWriter writer = new(bytes);
        int elements = reader.ReadArrayHeader();
        writer.WriteArrayHeader(elements);
        for (int element = 0; element < elements; element++)
        {
            if (reader.NextMessagePackType == MessagePackType.Integer) writer.Write(reader.ReadUInt64());
            else if (reader.NextMessagePackType == MessagePackType.Binary) writer.Write(reader.ReadBytes()!.Value.ToArray());
            else writer.WriteString(reader.ReadStringSequence()!.Value.ToArray());
        }
        Assert.That(reader.End, "bytes are left");
        writer.Flush();
        return bytes.WrittenSpan.ToArray();
    }

    // Every width equally often: shifting a 32-bit number by a random count.
    private static uint Number(Random random) => (uint)random.NextInt64(1L << 32) >> random.Next(32);

    private static uint Place(Random random) => random.Next(4) == 0 ? 0 : 1u << random.Next(12, 27);

    private static string[] Ask(string input)
    {
        ProcessStartInfo start = new(Python) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(Script);
        using Process python = Process.Start(start)!;
        python.StandardInput.Write(input);
        python.StandardInput.Close();
        string output = python.StandardOutput.ReadToEnd();
        string errors = python.StandardError.ReadToEnd();
        python.WaitForExit();
        if (errors.Contains("No module named 'msgpack'", StringComparison.Ordinal)) Assert.Ignore("python3-msgpack is not installed");
        Assert.That(errors, Is.Empty);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
