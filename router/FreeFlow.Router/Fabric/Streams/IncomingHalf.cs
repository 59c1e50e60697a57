using System;
using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Router.Fabric.Wire;

namespace FreeFlow.Router.Fabric.Streams;

/// <summary>
/// What the program on the other host sends: placed in the ring of the one here. Placing is the link's receiving thread's; the words that this shim writes
/// are looked at by its sending thread. Both peers are hostile: the shim's Head and the router's positions are checked before use.
/// </summary>
internal sealed unsafe class IncomingHalf(MirroredRing ring)
{
    private ulong _placed, _base;
    private ulong _credited;
    private ulong _promised;
    private bool _corrupt;
    private bool _switched, _ended, _readyTold, _closedTold;
    private bool _recallTold, _withdrawalTold;   // the receiving thread's, too, once the answer has come: the sending one does nothing before the word says so

    /// <summary>Bytes placed so far.</summary>
    public ulong Placed => Volatile.Read(ref _placed);

    /// <summary>The shim wrote an impossible Head; nothing more is placed.</summary>
    public bool Corrupt => Volatile.Read(ref _corrupt);

    // ---- sending thread

    /// <summary>How far the shim has read, as the other router may believe it.</summary>
    public ulong Credit()
    {
        ulong head = Volatile.Read(ref ring.ToShim->Head);
        return head - _credited <= Placed - _credited ? head : _credited;
    }

    /// <summary>
    /// <see cref="Credit"/>, before a frame tells it: from here on the other router may send what there is room for then, so room is reckoned from this word, whatever the shim writes later.
    /// </summary>
    public ulong Promise()
    {
        ulong head = Credit();
        Volatile.Write(ref _promised, head);
        return head;
    }

    /// <summary>A frame has told the other router <paramref name="head"/>.</summary>
    public void Told(ulong head) => Volatile.Write(ref _credited, head);

    /// <summary>True if telling <paramref name="head"/> is worth a frame of its own.</summary>
    public bool IsWorthTelling(ulong head) => head - _credited >= ring.Capacity / 8;

    /// <summary>Asks the shim to ring when it has read, if the other side may soon be short of room; true if there is something to tell already.</summary>
    public bool Arm()
    {
        RingBlockHeader* block = ring.ToShim;
        if (Placed - Volatile.Read(ref _credited) < ring.Capacity / 2) return false;
        Interlocked.Exchange(ref block->WriterWaiting, 1);
        return IsWorthTelling(Credit());
    }

    /// <summary>Puts the shim's new words into frames.</summary>
    public void Tell(FrameWriter writer, FrameHeader header, bool shimGone)
    {
        RingBlockHeader* block = ring.ToShim;
        Tell(writer, header, FrameType.Ready, ref _readyTold, Volatile.Read(ref block->Handover) >= (uint)HandoverState.Ready);
        TellRecall(writer, header);
        uint closed = Volatile.Read(ref block->ReaderClosed);
        header.Position = closed > RingBlockHeader.ReaderGone && !shimGone ? FrameHeader.ReadsOn : 0u;
        Tell(writer, header, FrameType.ReaderClosed, ref _closedTold, shimGone || closed != 0);
    }

    /// <summary>
    /// Before the doorbell is closed, when nobody works on the stream any more: a writer that never learned of this Ready has never switched, so that the kernel has all there
    /// is, with its end.
    /// </summary>
    public void ReleaseIfUntold()
    {
        if (_readyTold) return;
        Interlocked.CompareExchange(ref ring.ToShim->Handover, (uint)HandoverState.Kernel, (uint)HandoverState.Ready);
        Volatile.Write(ref ring.ToShim->WriterClosed, 1);
    }

    private void TellRecall(FrameWriter writer, FrameHeader header)
    {
        header.Type = FrameType.Recall;
        switch ((RecallState)Volatile.Read(ref ring.ToShim->ReaderWantsKernel))
        {
            case RecallState.Asked:
                Tell(writer, header, FrameType.Recall, ref _recallTold, due: true);
                return;
            case RecallState.Withdrawn when !_recallTold:
                // Nobody has heard of it.
                Settle(RecallState.None);
                return;
            case RecallState.Withdrawn:
                header.Position = FrameHeader.Withdrawn;
                Tell(writer, header, FrameType.Recall, ref _withdrawalTold, due: true);
                return;
        }
    }

    private void Settle(RecallState outcome)
    {
        Interlocked.CompareExchange(ref ring.ToShim->ReaderWantsKernel, (uint)outcome, (uint)RecallState.Withdrawn);
        ring.RingBell();
    }

    private static void Tell(FrameWriter writer, FrameHeader header, FrameType type, ref bool told, bool due)
    {
        if (told || !due) return;
        told = true;
        header.Type = type;
        writer.Write(header);
    }

    // ---- receiving thread

    /// <summary>The other writer has switched at kernel byte <paramref name="at"/>. False if the reader here cannot follow: it must return.</summary>
    public bool Switch(ulong at)
    {
        RingBlockHeader* block = ring.ToShim;
        Volatile.Write(ref block->SwitchAt, at);
        _switched = Interlocked.CompareExchange(ref block->Handover, (uint)HandoverState.Ring, (uint)HandoverState.Ready) == (uint)HandoverState.Ready;
        _ended = !_switched;
        if (_switched) ring.Notify(ref block->ReaderWaiting);
        return _switched;
    }

    /// <summary>
    /// Room for bytes from <paramref name="position"/> on, in up to two pieces; empty pieces if they are not wanted any more. False if no honest router sends them.
    /// </summary>
    public bool Reserve(ulong position, uint length, out Span<byte> first, out Span<byte> second)
    {
        first = second = default;
        RingBlockHeader* block = ring.ToShim;
        if (_ended || Corrupt) return true;
        if (!_switched || position != _placed) return false;
        // The other router goes by what this one has told it. A shim that takes back what it has read breaks its own ring, and must not make that router look like one that lies.
        ulong promised = Volatile.Read(ref _promised), head = Volatile.Read(ref block->Head);
        if (length > ring.Capacity - (_placed - promised)) return false;
        if (head - promised > _placed - promised) { Volatile.Write(ref _corrupt, true); return true; }
        if (head == _placed && _base != _placed)
        {
            _base = _placed;
            Volatile.Write(ref block->Base, _base);
        }
        ulong piece = Math.Min(length, ring.ToEnd(_placed, _base));
        first = new Span<byte>(ring.At(block, _placed, _base), (int)piece);
        second = new Span<byte>(ring.At(block, _placed + piece, _base), (int)(length - piece));
        return true;
    }

    /// <summary>Shows the shim <paramref name="bytes"/> of what was reserved. True if it has read so much meanwhile that the other side should be told.</summary>
    public bool Publish(int bytes)
    {
        RingBlockHeader* block = ring.ToShim;
        Volatile.Write(ref _placed, _placed + (ulong)bytes);
        Volatile.Write(ref block->Tail, _placed);
        ring.Notify(ref block->ReaderWaiting);
        // While bytes come the shim need not ring for what it reads: this is looked at each time.
        return IsWorthTelling(Credit()) || (Volatile.Read(ref block->WriterWaiting) == 0 && Arm());
    }

    /// <summary>The other writer never switched and never will.</summary>
    public void Released()
    {
        Interlocked.CompareExchange(ref ring.ToShim->Handover, (uint)HandoverState.Kernel, (uint)HandoverState.Ready);
        _ended = true;
        ring.RingBell();
    }

    /// <summary>What has become of a request that the reader takes back. False if there is none.</summary>
    public bool RecallAnswered(bool withdrawn)
    {
        if (!Volatile.Read(ref _withdrawalTold)) return false;
        Volatile.Write(ref _recallTold, false);
        Volatile.Write(ref _withdrawalTold, false);
        Settle(withdrawn ? RecallState.None : RecallState.TakenUp);
        return true;
    }

    /// <summary>The other writer has ended at <paramref name="position"/>; false if that is not where its bytes end.</summary>
    public bool WriterClosed(ulong position)
    {
        if (!_ended && !Corrupt && position != _placed) return false;
        Volatile.Write(ref ring.ToShim->WriterClosed, 1);
        ring.RingBell();
        return true;
    }
}
