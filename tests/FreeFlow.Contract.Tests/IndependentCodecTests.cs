using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using NUnit.Framework;

namespace FreeFlow.Contract.Tests;

/// <summary>The same bytes as an implementation that is not ours: Debian's python3-msgpack, both ways, in one process.</summary>
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
