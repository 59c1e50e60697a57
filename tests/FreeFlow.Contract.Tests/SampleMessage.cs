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
        Of("RefillRequest", default(RefillRequest).Write, "91 1e", "[30]"),
        Of("StatusReply", default(StatusReply).Write, "91 08", "[8]"),
        Of("VerbsHello",
            b => new VerbsHello { ProtocolVersion = 1, ProcessId = 0x11170, ProgramName = "ib_send_lat"u8, ContainerName = ""u8 }.Write(b),
            "95 0a 01 ce00011170 ab69625f73656e645f6c6174 a0", "[10,1,70000,'ib_send_lat','']"),
        Of("VerbsReply",
            new VerbsReply { Sequence = 0x12c, Status = 13, Value = 0x10000000000 }.Write,
            "94 0b cd012c 0d cf0000010000000000", "[11,300,13,1099511627776]"),
        Of("VerbsCreateQueuePair",
            new VerbsCreateQueuePair { Sequence = 1, Domain = 128, Kind = 2 }.Write,
            "94 0c 01 cc80 02", "[12,1,128,2]"),
        Of("VerbsConnect",
            new VerbsConnect { Sequence = 2, Number = 0xffffff, Access = 14, OwnHigh = 0, OwnLow = 0xffff0a000001, PeerHigh = 0xfd00000000000000, PeerLow = 1, PeerNumber = 0x123456 }.Write,
            "99 0d 02 ce00ffffff 0e 00 cf0000ffff0a000001 cffd00000000000000 01 ce00123456", "[13,2,16777215,14,0,281470849515521,18230571291595767808,1,1193046]"),
        Of("VerbsJoin",
            new VerbsJoin { Sequence = 2, Side = 1, IsLoop = 0 }.Write,
            "94 0e 02 01 00", "[14,2,1,0]"),
        Of("VerbsLeave",
            new VerbsLeave { Sequence = 3, Number = 0x10000, IsDestroyed = 1 }.Write,
            "94 0f 03 ce00010000 01", "[15,3,65536,1]"),
        Of("VerbsRegister",
            new VerbsRegister { Sequence = 4, Domain = 1, Key = 0xdeadbeef, Access = 6, Address = 0x7fff00000010, Length = 0x2000, Offset = 16, FirstPlace = 128, LastPlace = 0xfffff }.Write,
            "9a 10 04 01 cedeadbeef 06 cf00007fff00000010 cd2000 10 cc80 ce000fffff", "[16,4,1,3735928559,6,140733193388048,8192,16,128,1048575]"),
        Of("VerbsDeregister",
            new VerbsDeregister { Sequence = 5, Key = 0xdeadbeef }.Write,
            "93 11 05 cedeadbeef", "[17,5,3735928559]"),
        Of("VerbsResolve",
            new VerbsResolve { Sequence = 6, Number = 2, Key = 128 }.Write,
            "94 12 06 02 cc80", "[18,6,2,128]"),
        Of("VerbsGrant",
            new VerbsGrant { Sequence = 6, Access = 2, Address = 0, Length = 0x10000000000, Offset = 0xfff, HasEdges = 1, FirstPlace = 7, LastPlace = 0 }.Write,
            "99 13 06 02 00 cf0000010000000000 cd0fff 01 07 00", "[19,6,2,0,1099511627776,4095,1,7,0]"),
        Of("VerbsEdge",
            b => new VerbsEdge { Sequence = 7, Number = 2, Key = 128, Operation = 1, Address = 0x1000, Length = 3, First = 0, Second = 0, Data = new byte[] { 97, 98, 99 } }.Write(b),
            "9a 14 07 02 cc80 01 cd1000 03 00 00 c403616263", "[20,7,2,128,1,4096,3,0,0,b'abc']"),
        Of("VerbsEdge, atomic",
            b => new VerbsEdge { Sequence = 7, Number = 2, Key = 128, Operation = 2, Address = 0x1000, Length = 8, First = 0xffffffffffffffff, Second = 1, Data = default }.Write(b),
            "9a 14 07 02 cc80 02 cd1000 08 cfffffffffffffffff 01 c400", "[20,7,2,128,2,4096,8,18446744073709551615,1,b'']"),
        Of("VerbsEdgeReply",
            b => new VerbsEdgeReply { Sequence = 7, Status = 0, Before = 0xffffffffffffffff, Data = new byte[] { 0, 255 } }.Write(b),
            "95 15 07 00 cfffffffffffffffff c40200ff", "[21,7,0,18446744073709551615,b'\\x00\\xff']"),
        Of("VerbsListen",
            new VerbsListen { Sequence = 8, Number = 0xffffff }.Write,
            "93 16 08 ce00ffffff", "[22,8,16777215]"),
        Of("VerbsArrival",
            new VerbsArrival { OwnHigh = 0, OwnLow = 0xffff0a000001, PeerHigh = 0xfd00000000000000, PeerLow = 1, PeerNumber = 0x123456 }.Write,
            "96 17 00 cf0000ffff0a000001 cffd00000000000000 01 ce00123456", "[23,0,281470849515521,18230571291595767808,1,1193046]"),
        Of("VerbsCmCommand",
            new VerbsCmCommand { Sequence = 9, Channel = 1, Identifier = 128, Command = (uint)CmCommand.Listen, Argument = 1024 }.Write,
            "96 18 09 01 cc80 05 cd0400", "[24,9,1,128,5,1024]"),
        Of("VerbsCmCommand, edges",
            new VerbsCmCommand { Sequence = uint.MaxValue, Channel = uint.MaxValue, Identifier = uint.MaxValue, Command = (uint)CmCommand.AcknowledgeTimeout, Argument = ulong.MaxValue }.Write,
            "96 18 ceffffffff ceffffffff ceffffffff 0e cfffffffffffffffff", "[24,4294967295,4294967295,4294967295,14,18446744073709551615]"),
        Of("VerbsCmCreate",
            new VerbsCmCreate { Sequence = 10, Channel = 1, User = 0x55d0_1234_5670, Space = VerbsProtocol.PortSpaceTcp, Kind = VerbsProtocol.ReliableConnection }.Write,
            "96 19 0a 01 cf000055d012345670 cd0106 02", "[25,10,1,94352146978416,262,2]"),
        Of("VerbsCmAddress",
            new VerbsCmAddress { Sequence = 11, Channel = 1, Identifier = 2, Action = 1, OwnHigh = 0, OwnLow = 0xffff0a000001, OwnPort = 0, PeerHigh = 0xfd00000000000000, PeerLow = 1, PeerPort = 7174, Status = 101 }.Write,
            "9c 1a 0b 01 02 01 00 cf0000ffff0a000001 00 cffd00000000000000 01 cd1c06 65", "[26,11,1,2,1,0,281470849515521,0,18230571291595767808,1,7174,101]"),
        Of("VerbsCmConnect",
            b => new VerbsCmConnect { Sequence = 12, Channel = 1, Identifier = 2, Action = 1, User = 0x55d0_1234_5670, Number = 0x123456, QueueKey = 0x01234567, Parameters = 0x0107_0700_8001, PrivateData = "hello"u8 }.Write(b),
            "9a 1b 0c 01 02 01 cf000055d012345670 ce00123456 ce01234567 cf0000010707008001 c40568656c6c6f", "[27,12,1,2,1,94352146978416,1193046,19088743,1129693872129,b'hello']"),
        Of("VerbsCmState",
            new VerbsCmState { Sequence = 13, Kind = VerbsProtocol.UnreliableDatagram, OwnHigh = 0, OwnLow = 0xffff0a000001, OwnPort = 65535, PeerHigh = 0, PeerLow = 0xffff0a000002, PeerPort = 7471, Number = 0xffffff, Parameters = 0, HasRoute = 1 }.Write,
            "9c 1c 0d 04 00 cf0000ffff0a000001 cdffff 00 cf0000ffff0a000002 cd1d2f ce00ffffff 00 01", "[28,13,4,0,281470849515521,65535,0,281470849515522,7471,16777215,0,1]"),
        Of("VerbsCmEvent",
            b => new VerbsCmEvent { Sequence = 14, Identifier = 2, User = 0x55d0_1234_5670, Kind = 2, Event = (uint)CmEventKind.Rejected, Status = 28, Number = 0, QueueKey = 0, Parameters = CmParameters.Maximum, PrivateData = new byte[] { 0, 255 } }.Write(b),
            "9b 1d 0e 02 cf000055d012345670 02 08 1c 00 00 cf00ffffffffffffff c40200ff", "[29,14,2,94352146978416,2,8,28,0,0,72057594037927935,b'\\x00\\xff']"),
        Of("VerbsCmEvent, negative status",
            b => new VerbsCmEvent { Sequence = 15, Identifier = 2, User = 1, Kind = 4, Event = (uint)CmEventKind.Unreachable, Status = unchecked((uint)-110), Number = 0, QueueKey = 0, Parameters = 0, PrivateData = default }.Write(b),
            "9b 1d 0f 02 01 04 07 ceffffff92 00 00 00 c400", "[29,15,2,1,4,7,4294967186,0,0,0,b'']"),
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
