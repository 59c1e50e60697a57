using System;
using System.Text;
using FreeFlow.Contract.Messages;

namespace FreeFlow.Contract.Tests;

/// <summary>A message, what it must look like on the wire, and its fields as python3 writes them.</summary>
public sealed record SampleMessage(string Name, byte[] Encoded, string Hex, string Fields)
{
    private const string LongName = "a program name of exactly sixty-four bytes, the longest allowed!";

    /// <summary>Every kind, and every length of integer and string.</summary>
    public static SampleMessage[] All =>
    [
        Of("Hello", b => new Hello { ProtocolVersion = 1, Slot = 3, ProcessId = 4711, ProgramName = "redis-server"u8, ContainerName = ""u8 }.Write(b),
            "96 01 01 03 cd1267 ac72656469732d736572766572 a0", "[1,1,3,4711,'redis-server','']"),
        Of("Hello, largest", b => new Hello
            {
                ProtocolVersion = uint.MaxValue, Slot = 128, ProcessId = 65536,
                ProgramName = Encoding.UTF8.GetBytes(LongName), ContainerName = "contéîner-with-a-32-byte-name."u8,
            }.Write(b),
            "96 01 ceffffffff cc80 ce00010000 d940" + Convert.ToHexString(Encoding.UTF8.GetBytes(LongName)) +
            "d920636f6e74c3a9c3ae6e65722d776974682d612d33322d627974652d6e616d652e",
            "[1,0xffffffff,128,65536," + '"' + LongName + '"' + ",'contéîner-with-a-32-byte-name.']"),
        Of("Welcome", new Welcome { ProtocolVersion = 1, SessionId = 0x1_0000_0000 }.Write, "93 02 01 cf0000000100000000", "[2,1,1<<32]"),
        Of("Welcome, largest", new Welcome { ProtocolVersion = 1, SessionId = ulong.MaxValue }.Write, "93 02 01 cfffffffffffffffff", "[2,1,(1<<64)-1]"),
        Of("Offer", new Offer { Connection = 0, Generation = 0 }.Write, "96 03 00 00 00 00 00", "[3,0,0,0,0,0]"),
        Of("Offer, edges", new Offer { Connection = 127, Generation = 255, Scarce = 1, MarksSent = 256, Place = 1 << 20 }.Write, "96 03 7f ccff 01 cd0100 ce00100000", "[3,127,255,1,256,1048576]"),
        Of("Join", new Join { Connection = 256, Generation = 65535, Side = 1, Capacity = 1 << 20 }.Write,
            "98 04 cd0100 cdffff 01 ce00100000 00 00 00", "[4,256,65535,1,1<<20,0,0,0]"),
        Of("Join, shared doorbell", new Join { Connection = 2, Generation = 0, Side = 0, Capacity = 4096, Mate = 65536, MateGeneration = 128, MarksToFind = 3 }.Write,
            "98 04 02 00 00 cd1000 ce00010000 cc80 03", "[4,2,0,0,4096,65536,128,3]"),
        Of("Refuse", new Refuse { Connection = 65535, Generation = 2, Reason = (uint)Reason.UnprovenNamespace }.Write,
            "94 05 cdffff 02 06", "[5,65535,2,6]"),
        Of("Withdraw", new Withdraw { Connection = 9, Generation = 65536 }.Write, "93 06 09 ce00010000", "[6,9,65536]"),
        Of("StatusRequest", new StatusRequest { Version = 1 }.Write, "92 07 01", "[7,1]"),
        Of("ReturnRequest", new ReturnRequest { Connection = 128, Generation = 7 }.Write, "94 09 cc80 07 00", "[9,128,7,0]"),
        Of("ReturnRequest, outgoing", new ReturnRequest { Connection = 0, Generation = 256, Direction = ReturnRequest.Outgoing }.Write, "94 09 00 cd0100 01", "[9,0,256,1]"),
        Of("StatusReply", default(StatusReply).Write, "91 08", "[8]"),
    ];

    public override string ToString() => Name;

    private delegate int Writer(Span<byte> buffer);

    private static SampleMessage Of(string name, Writer write, string hex, string fields)
    {
        byte[] buffer = new byte[Protocol.MaximumMessageBytes];
        int length = write(buffer);
        return new(name, buffer[..length], hex.Replace(" ", "", StringComparison.Ordinal).ToUpperInvariant(), fields);
    }
}
