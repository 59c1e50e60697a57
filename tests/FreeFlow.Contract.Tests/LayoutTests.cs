using System;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FreeFlow.Contract.Layout;
using NUnit.Framework;

namespace FreeFlow.Contract.Tests;

/// <summary>What lies where in shared memory, as literal numbers: shim and router may be of different builds.</summary>
public sealed class LayoutTests
{
    private const string RingBlockHeaderFields = """
        Magic@0:4 Version@4:4 Capacity@8:8
        Tail@64:8 Base@72:8 SwitchAt@80:8 BackAt@88:8 WrittenAt@96:8
        Head@128:8 ReaderWaiting@192:4 WriterWaiting@256:4
        Handover@320:4 ReaderWantsKernel@324:4 ReaderClosed@328:4 WriterClosed@332:4 ReaderBuffer@336:4
        Returner@340:4 ReturnEnd@344:8 ReturnSent@352:8 WriterLeft@360:4 ReturnMark@384:16
        """;

    private const string ConnectionRecordFields = """
        Generation@0:4 State@4:4 Reason@8:4 Flags@12:4 CreatedNanoseconds@16:8 ProcessId@24:4 Descriptor@28:4
        Family@32:2 LocalPort@34:2 RemotePort@36:2 LocalAddress@40:16 RemoteAddress@56:16
        Holders@72:24 MoreHolders@96:4 Messages@100:4 KernelSent@104:8 KernelReceived@112:8 Refused@120:4 Obstructed@124:4
        RingAddress@128:8 Capacity@136:8 Side@144:4 Doorbell@148:4 SendWindow@152:4 SendLock@156:4
        SendGate@160:8 SendTail@168:8 SendBase@176:8 SendHeadSeen@184:8
        ReceiveLock@192:4 KernelAttention@196:4 ReceiveGate@200:8 ReceiveHead@208:8 KernelConsumed@216:8 ReceiveSwitchAt@224:8
        EmptyReads@232:4 PendingError@236:4 KernelLookedAt@240:8 DoorbellState@256:8 SendBlocked@264:4 SendsUnread@268:4
        SendReturnFrom@272:8 SendReturned@280:8 ReceiveReturnNext@288:8 ReceiveReturnEnd@296:8 ReceiveBackAt@304:8 ReceiveMarkBytes@312:4
        MarksSent@316:4 MarksFound@320:4 Pause@324:4 OfferAgainAt@328:8 JoinedAt@336:8 EarlierSent@344:8 EarlierReceived@352:8 KernelDropped@360:8
        """;

    private const string FamilyHeaderFields = "Magic@0:4 Version@4:4 SlotCount@8:4 RecordCount@12:4 RecordsUsed@16:4 NextRecord@20:4 RingBytes@24:8 Refused@32:8 EndedByReason@64:256";

    private const string ServiceTotalsFields = "Key@0:4 Ended@4:4 EndedInRing@8:4 KernelSent@16:8 KernelReceived@24:8 RingSent@32:8 RingReceived@40:8";

    private const string QueuePairHeaderFields = """
        Magic@0:4 Version@4:4
        State@64:4 Revocations@72:8 DataTail@80:8 MessagesSent@88:8 MessageBytes@96:8 RemoteOperations@104:8 RemoteBytes@112:8
        Consumed@128:8 DataHead@136:8 Receives@192:8 ReceiveMask@200:4 RnrTimer@204:4 IsShared@208:4
        ReaderWaiting@256:4 WriterWaiting@320:4 Gone@384:4
        """;

    private const string QueuePairMessageFields = "Sequence@0:8 Length@8:4 Kind@12:2 Solicited@14:2 Immediate@16:4 Status@20:4 Qkey@24:4 Flow@28:4 Inline@32:32";

    private const string InboxHeaderFields = "Magic@0:4 Version@4:4 Arrivals@64:8";

    private const string RefillHeaderFields = "Magic@0:4 Version@4:4 State@8:4 Length@16:8";

    private const string DoorbellStateFields = "Users@0:4 Lock@4:4 Sleepers@8:4 DrainsRefused@12:4 RefusedSince@16:8";

    private const string SessionSlotFields = "ProcessId@0:4 Mailbox@4:4 Handled@8:4";

    [TestCase(typeof(RingBlockHeader), 512, RingBlockHeaderFields, TestName = "RingBlockHeader")]
    [TestCase(typeof(ConnectionRecord), 384, ConnectionRecordFields, TestName = "ConnectionRecord")]
    [TestCase(typeof(FamilyHeader), 4096, FamilyHeaderFields, TestName = "FamilyHeader")]
    [TestCase(typeof(ServiceTotals), 64, ServiceTotalsFields, TestName = "ServiceTotals")]
    [TestCase(typeof(SessionSlot), 64, SessionSlotFields, TestName = "SessionSlot")]
    [TestCase(typeof(DoorbellState), 32, DoorbellStateFields, TestName = "DoorbellState")]
    [TestCase(typeof(QueuePairHeader), 4096, QueuePairHeaderFields, TestName = "QueuePairHeader")]
    [TestCase(typeof(QueuePairMessage), 64, QueuePairMessageFields, TestName = "QueuePairMessage")]
    [TestCase(typeof(InboxHeader), InboxHeader.Bytes, InboxHeaderFields, TestName = "InboxHeader")]
    [TestCase(typeof(RefillHeader), RefillHeader.Bytes, RefillHeaderFields, TestName = "RefillHeader")]
    public void FieldsLieWhereTheyLay(Type layout, int size, string fields)
    {
        Assert.That(string.Join(' ', Fields(layout)), Is.EqualTo(fields.Replace('\n', ' ')));
        Assert.That(Marshal.SizeOf(layout), Is.EqualTo(size));
        // Managed code goes by its own size, not by the marshaller's.
        Assert.That(typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(layout).Invoke(null, null), Is.EqualTo(size));
    }

    [TestCase(typeof(RingBlockHeader))]
    [TestCase(typeof(ConnectionRecord))]
    [TestCase(typeof(FamilyHeader))]
    [TestCase(typeof(ServiceTotals))]
    [TestCase(typeof(SessionSlot))]
    [TestCase(typeof(DoorbellState))]
    [TestCase(typeof(QueuePairHeader))]
    [TestCase(typeof(QueuePairMessage))]
    [TestCase(typeof(InboxHeader))]
    [TestCase(typeof(RefillHeader))]
    public void FieldsAreAlignedAndDoNotOverlap(Type layout)
    {
        int end = 0;
        foreach (FieldInfo field in InstanceFields(layout))
        {
            int offset = (int)Marshal.OffsetOf(layout, field.Name), size = SizeOf(field);
            Assert.That(offset, Is.GreaterThanOrEqualTo(end), $"{field.Name} overlaps what is before it");
            if (field.FieldType.IsPrimitive) Assert.That(offset % size, Is.Zero, $"{field.Name} is not aligned: it would tear");
            end = offset + size;
        }
        Assert.That(end, Is.LessThanOrEqualTo(Marshal.SizeOf(layout)));
    }

    [Test]
    public void WordsOfDifferentWritersLieOnDifferentCacheLines()
    {
        string[] groups = ["Tail", "Head", "ReaderWaiting", "WriterWaiting", "Handover"];
        Assert.That(groups.Select(g => (int)Marshal.OffsetOf<RingBlockHeader>(g) / 64).Distinct().Count(), Is.EqualTo(groups.Length));
    }

    [Test]
    public void FamilyTable() => Assert.That(
        new object[]
        {
            FamilyLayout.Magic, FamilyLayout.Version, FamilyLayout.HeaderBytes, FamilyLayout.SlotBytes, FamilyLayout.SlotCount,
            FamilyLayout.SlotsOffset, FamilyLayout.RecordBytes, FamilyLayout.RecordCount, FamilyLayout.RecordsOffset,
            FamilyLayout.DoorbellBytes, FamilyLayout.DoorbellsOffset, FamilyLayout.TotalBytes,
            FamilyLayout.ServicesOffset, FamilyLayout.ServiceBytes, FamilyLayout.ServiceCount, FamilyLayout.ReasonCount,
        },
        Is.EqualTo(new object[] { 0x38544646u, 8u, 4096, 64, 1024u, 4096, 384, 65536u, 69632, 32, 25235456, 27332608L, 1024, 64, 48, 64 }));

    [TestCase((ushort)6379, (ushort)40000, 0x800118ebu, (ushort)6379, true)]
    [TestCase((ushort)40000, (ushort)6379, 0x800018ebu, (ushort)6379, false)]
    [TestCase((ushort)5, (ushort)5, 0x80010005u, (ushort)5, true)]
    public void KeyOfAService(ushort local, ushort remote, uint key, ushort port, bool served)
    {
        Assert.That(ServiceTotals.KeyOf(local, remote), Is.EqualTo(key));
        Assert.That(ServiceTotals.Read(key), Is.EqualTo((port, served)));
        Assert.That(ServiceTotals.Read(ServiceTotals.Others), Is.EqualTo(((ushort)0, false)));
    }

    [Test]
    public void QueuePairMemory() => Assert.That(
        new object[]
        {
            QueuePairLayout.Magic, QueuePairLayout.Version, QueuePairLayout.HeaderBytes, QueuePairLayout.Messages, QueuePairLayout.MessagesOffset, QueuePairLayout.Receives,
            QueuePairLayout.ReceivesOffset, QueuePairLayout.DataBytes, QueuePairLayout.DataOffset, QueuePairLayout.InlineBytes, QueuePairLayout.BlockBytes, QueuePairLayout.TotalBytes,
            QueuePairLayout.DatagramBytes, InboxHeader.ExpectedMagic, InboxHeader.ExpectedVersion,
        },
        Is.EqualTo(new object[] { 0x31514646u, 2u, 4096, 512u, 4096, 16384u, 36864, 262144u, 102400, 32u, 364544, 729088, 4096u, 0x31444646u, 1u }));

    // Offset, length; pages of the region: all, whole, first edge, last edge.
    [TestCase(0u, 0UL, 0UL, 0UL, 0UL, 0UL)]
    [TestCase(0u, 1UL, 1UL, 0UL, 1UL, 0UL)]
    [TestCase(0u, 4096UL, 1UL, 1UL, 0UL, 0UL)]
    [TestCase(0u, 4097UL, 2UL, 1UL, 0UL, 1UL)]
    [TestCase(4095u, 1UL, 1UL, 0UL, 1UL, 0UL)]
    [TestCase(4095u, 2UL, 2UL, 0UL, 1UL, 1UL)]
    [TestCase(16u, 8192UL, 3UL, 1UL, 1UL, 1UL)]
    [TestCase(1u, 4095UL, 1UL, 0UL, 1UL, 0UL)]
    [TestCase(1u, 8191UL, 2UL, 1UL, 1UL, 0UL)]
    public void PagesOfARegion(uint offset, ulong length, ulong all, ulong whole, ulong first, ulong last)
    {
        RegionPages pages = new(offset, length);
        Assert.That(new[] { pages.All, pages.Whole, pages.FirstEdge, pages.LastEdge }, Is.EqualTo(new[] { all, whole, first, last }));
    }

    [Test]
    public void RefillMemory() => Assert.That(
        new object[] { RefillHeader.ExpectedMagic, RefillHeader.ExpectedVersion, RefillHeader.Bytes, RefillHeader.MostBytes },
        Is.EqualTo(new object[] { 0x31424646u, 1u, 64, 1UL << 27 }));

    [Test]
    public void Constants() => Assert.That(
        new object[] { Protocol.Version, Protocol.MaximumMessageBytes, Protocol.MaximumDescriptors, Protocol.MaximumNameBytes, Protocol.DefaultSocketPath },
        Is.EqualTo(new object[] { 7u, 512, 2, 64, "/run/freeflow/router.sock" }));

    private static string[] Fields(Type layout) =>
        InstanceFields(layout).Select(f => $"{f.Name}@{Marshal.OffsetOf(layout, f.Name)}:{SizeOf(f)}").ToArray();

    private static FieldInfo[] InstanceFields(Type layout) =>
        layout.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).OrderBy(f => (int)Marshal.OffsetOf(layout, f.Name)).ToArray();

    private static int SizeOf(FieldInfo field) =>
        field.GetCustomAttribute<FixedBufferAttribute>() is { } buffer ? buffer.Length * Marshal.SizeOf(buffer.ElementType) : Marshal.SizeOf(field.FieldType);
}
