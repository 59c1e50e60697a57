using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Pipelines;
using System.Linq;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using CliWrap;
using CliWrap.Buffered;
using FreeFlow.DevicePlugin.Http2;
using NUnit.Framework;

namespace FreeFlow.Kubernetes.Tests.DevicePlugin;

/// <summary>Header blocks against python3-hpack, and frames that break the rules.</summary>
internal sealed class HeaderBlockTests
{
    private static string Program => Path.Combine(TestContext.CurrentContext.TestDirectory, "programs", "blocks.py");

    [Test]
    public async Task AnotherLibraryReadsEveryRewrittenBlockAsItWasSent([Values(1, 2, 3)] int seed)
    {
        BufferedCommandResult made = await Cli.Wrap("/usr/bin/python3").WithArguments([Program, "make", $"{seed}",
            "200"]).ExecuteBufferedAsync();
        StringBuilder rewritten = new();
        int blocks = 0;
        foreach (string line in made.StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            HeaderBlockRewriter rewriter = new();
            JsonArray connection = JsonNode.Parse(line)!.AsArray();
            foreach (JsonNode? block in connection)
            {
                block!.AsArray().Add(Convert.ToHexString(rewriter.Rewrite(Convert.FromHexString(block[0]!.GetValue<string>()))));
                blocks++;
            }
            rewritten.Append(connection.ToJsonString()).Append('\n');
        }
        Assert.That(blocks, Is.GreaterThan(600));
        await Cli.Wrap("/usr/bin/python3").WithArguments([Program, "check"]).WithStandardInputPipe(PipeSource.FromString(rewritten.ToString())).ExecuteBufferedAsync();
    }

    [TestCase("", TestName = "ABlockMayBeEmpty")]
    public void Accepted(string block) => Assert.That(new HeaderBlockRewriter().Rewrite(Convert.FromHexString(block)), Is.Empty);

    [TestCase("80", TestName = "TheNumberZeroIsNoField")]
    [TestCase("be", TestName = "ANumberBehindTheTableIsNoField")]
    [TestCase("ffffffffff7f", TestName = "ANumberOfFiveBytesIsRefused")]
    [TestCase("3fe2ff7f", TestName = "ATableLargerThanAllowedIsRefused")]
    [TestCase("0005aabb", TestName = "AStringBeyondItsBlockIsRefused")]
    [TestCase("00", TestName = "AFieldWithoutItsNameIsRefused")]
    [TestCase("000161", TestName = "AFieldWithoutItsValueIsRefused")]
    [TestCase("008100", TestName = "AWrongPaddingIsRefused")]
    [TestCase("0084ffffffff00", TestName = "TheEndOfStringSymbolIsRefused")]
    public void Refused(string block) => Assert.Throws<InvalidDataException>(() =>
        new HeaderBlockRewriter().Rewrite(Convert.FromHexString(block)));

    [Test]
    public void NoBytesAtAllMakeTheRewriterFailInAnotherWay()
    {
        Random random = new(4711);
        byte[] block = new byte[64];
        for (int round = 0; round < 20000; round++)
        {
            HeaderBlockRewriter rewriter = new();
            random.NextBytes(block);
            try { rewriter.Rewrite(block.AsSpan(0, random.Next(block.Length))); }
            catch (InvalidDataException) { }
        }
    }

    [Test]
    public async Task FramesOfEveryKindComeOutAsTheyWentInButForTheHeaders()
    {
        byte[] preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();
        byte[] settings = Convert.FromHexString("000006040000000000000300000064");
        byte[] ping = Convert.FromHexString("0000080600000000000102030405060708");
        byte[] data = Convert.FromHexString("0000030001000000016162ff");
        // ":method: POST" padded and with a priority, ":authority: /x" in a CONTINUATION frame.
        byte[] headers = Convert.FromHexString("000009" + "01" + "29" + "00000001" + "02" + "000000000f" + "83" + "0000" + "000004"
            + "09" + "04" + "00000001" + "01022f78");
        (byte[] output, bool isWhole) = await RewriteAsync([.. preface, .. settings, .. headers, .. ping, .. data]);
        byte[] method = [0, 7, .. ":method"u8, 4, .. "POST"u8], authority = [0, 10, .. ":authority"u8, 9, .. "localhost"u8];
        byte[] rewritten = [0, 0, (byte)(method.Length + authority.Length), 1, 5, 0, 0, 0, 1, .. method, .. authority];
        Assert.That(isWhole);
        Assert.That(output, Is.EqualTo((byte[])[.. preface, .. settings, .. rewritten, .. ping, .. data]));
    }

    [TestCase("ffffff000000000001", TestName = "AFrameLargerThanAllowedEndsTheConnection")]
    [TestCase("000001010c00000001ff", TestName = "APaddingLongerThanItsFrameEndsTheConnection")]
    [TestCase("000000010000000001000000060000000000", TestName = "AFrameWithinAHeaderBlockEndsTheConnection")]
    [TestCase("00000101040000000180", TestName = "AWrongHeaderBlockEndsTheConnection")]
    [TestCase("0000080600000000000102", TestName = "AnEndWithinAFrameEndsTheConnection")]
    public async Task Ended(string frames)
    {
        (_, bool isWhole) = await RewriteAsync([.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Convert.FromHexString(frames)]);
        Assert.That(isWhole, Is.False);
    }

    // What comes out, and whether the end was a clean one.
    private static async Task<(byte[] Output, bool IsWhole)> RewriteAsync(byte[] input)
    {
        Pipe source = new(), target = new();
        List<byte> output = [];
        Task copying = new FrameRewriter(source.Reader, target.Writer).RunAsync();
        // In small pieces: a frame's parts come as they come.
        foreach (byte[] piece in input.Chunk(5)) await source.Writer.WriteAsync(piece);
        await source.Writer.CompleteAsync();
        await copying;
        try
        {
            await target.Reader.CopyToAsync(new CollectingStream(output));
            return ([.. output], true);
        }
        catch (InvalidDataException)
        {
            return ([.. output], false);
        }
    }

    private sealed class CollectingStream(List<byte> bytes) : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, System.Threading.CancellationToken cancellationToken = default)
        {
            bytes.AddRange(buffer.ToArray());
            return ValueTask.CompletedTask;
        }
    }
}
