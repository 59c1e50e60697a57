using System;
using System.Threading;
using FreeFlow.Contract;
using FreeFlow.Contract.Layout;
using FreeFlow.Router.Fabric.Wire;

namespace FreeFlow.Router.Fabric.Streams;

/// <summary>
/// What the program here sends: read out of its ring and forwarded, and released there when the program on the other host has read it. The shim is hostile: its
/// positions are checked before use. Forwarding is the link's sending thread's, <see cref="Acknowledge"/> and the words are its receiving thread's.
/// </summary>
internal sealed unsafe class OutgoingHalf(MirroredRing ring)
{
    private ulong _forwarded;
    private ulong _acknowledged;
    private bool _switchTold, _back, _closedTold;

    /// <summary>Bytes that went into frames.</summary>
    public ulong Forwarded => Volatile.Read(ref _forwarded);

    /// <summary>The shim wrote an impossible position; nothing more is read from it.</summary>
    public bool Corrupt { get; private set; }

    /// <summary>Puts into frames what is due; true if bytes are left because <paramref name="quota"/> is used up.</summary>
    public bool Forward(FrameWriter writer, FrameHeader header, ulong quota, bool shimGone)
    {
        lock (ring.Forwarding) return ForwardAll(writer, header, quota, shimGone);
    }

    private bool ForwardAll(FrameWriter writer, FrameHeader header, ulong quota, bool shimGone)
    {
        RingBlockHeader* block = ring.FromShim;
        uint closed = Volatile.Read(ref block->WriterClosed);
        HandoverState state = (HandoverState)Volatile.Read(ref block->Handover);
        if (state == HandoverState.Back) _back = true;
        if (state == HandoverState.Ring && !_switchTold && !_back)
        {
            header.Type = FrameType.Switch;
            header.Position = Volatile.Read(ref block->SwitchAt);
            writer.Write(header);
            _switchTold = true;
        }
        bool more = _switchTold && !_back && !Corrupt && ForwardBytes(writer, header, quota);
        if ((closed != 0 || shimGone) && !more && !_closedTold)
        {
            header.Type = FrameType.WriterClosed;
            header.Position = _forwarded;
            writer.Write(header);
            _closedTold = true;
        }
        return more;
    }

    /// <summary>Asks the shim to ring when there is more; true if there is already.</summary>
    public bool Arm()
    {
        RingBlockHeader* block = ring.FromShim;
        ring.AskToBeWoken();
        if (_back || Corrupt) return Volatile.Read(ref block->WriterClosed) != 0 && !_closedTold;
        return _switchTold ? Volatile.Read(ref block->Tail) != _forwarded || Volatile.Read(ref block->Handover) == (uint)HandoverState.Back : Volatile.Read(ref block->Handover) == (uint)HandoverState.Ring;
    }

    /// <summary>Sending thread: the ring has been left.</summary>
    public bool IsBack => _back;

    /// <summary>There are bytes that are not in frames yet.</summary>
    public bool HasMore => Volatile.Read(ref ring.FromShim->Tail) != Forwarded;

    /// <summary>The shim need not ring: somebody looks.</summary>
    public void Disarm() => Volatile.Write(ref ring.FromShim->ReaderWaiting, 0);

    private bool ForwardBytes(FrameWriter writer, FrameHeader header, ulong quota)
    {
        RingBlockHeader* block = ring.FromShim;
        ulong available = Volatile.Read(ref block->Tail) - _forwarded;
        if (available > ring.Capacity - (_forwarded - Volatile.Read(ref _acknowledged))) { Corrupt = true; return false; }
        ulong start = Volatile.Read(ref block->Base);
        header.Type = FrameType.Data;
        while (available > 0 && quota > 0)
        {
            ulong length = Math.Min(Math.Min(available, quota), FrameHeader.MaximumDataBytes);
            ulong first = Math.Min(length, ring.ToEnd(_forwarded, start));
            header.Length = (uint)length;
            header.Position = _forwarded;
            // Before it is on its way: its acknowledgement may be back before the call is.
            byte* second = ring.At(block, _forwarded + first, start);
            byte* begin = ring.At(block, _forwarded, start);
            Volatile.Write(ref _forwarded, _forwarded + length);
            writer.Write(header, new ReadOnlySpan<byte>(begin, (int)first), new ReadOnlySpan<byte>(second, (int)(length - first)));
            available -= length;
            quota -= length;
        }
        return available > 0;
    }

    /// <summary>The other host's program has read up to <paramref name="head"/>; false if it cannot have.</summary>
    public bool Acknowledge(ulong head)
    {
        if (head == _acknowledged) return true;
        if (head - _acknowledged > Forwarded - _acknowledged) return false;
        RingBlockHeader* block = ring.FromShim;
        Volatile.Write(ref _acknowledged, head);
        Volatile.Write(ref block->Head, head);
        ulong used = Volatile.Read(ref block->Tail) - head;
        // The kernel's own rule of when a sender is worth waking (tcp(7), sk_stream_is_writeable).
        if (used < ring.Capacity && ring.Capacity - used >= used / 2) ring.Notify(ref block->WriterWaiting);
        return true;
    }

    /// <summary>The other reader is Ready.</summary>
    public void ReaderReady() => Interlocked.CompareExchange(ref ring.FromShim->Handover, (uint)HandoverState.Ready, (uint)HandoverState.Kernel);

    /// <summary>The other reader wants the kernel: true if the shim has not switched, and now never will; otherwise its return mark tells.</summary>
    public bool TryRelease()
    {
        RingBlockHeader* block = ring.FromShim;
        uint before = Interlocked.CompareExchange(ref block->Handover, (uint)HandoverState.Kernel, (uint)HandoverState.Ready);
        if (before is (uint)HandoverState.Ready or (uint)HandoverState.Kernel) return true;
        Interlocked.CompareExchange(ref block->ReaderWantsKernel, (uint)RecallState.Asked, (uint)RecallState.None);
        // One that has left the ring already has not seen this request, or takes it up: either way its mark comes.
        if (Volatile.Read(ref block->Handover) == (uint)HandoverState.Back) Interlocked.CompareExchange(ref block->ReaderWantsKernel, (uint)RecallState.TakenUp, (uint)RecallState.Asked);
        ring.RingBell();
        return false;
    }

    /// <summary>The other reader takes its request back, and reads on in its ring. False if that is too late.</summary>
    public bool TryStayOnRing() =>
        Interlocked.CompareExchange(ref ring.FromShim->ReaderWantsKernel, (uint)RecallState.None, (uint)RecallState.Asked) == (uint)RecallState.Asked;

    /// <summary>Nobody reads on the other host any more; or only <paramref name="readsOn"/> what is in its ring.</summary>
    public void ReaderClosed(bool readsOn)
    {
        Volatile.Write(ref ring.FromShim->ReaderClosed, readsOn ? RingBlockHeader.ReaderReadsOn : RingBlockHeader.ReaderGone);
        ring.RingBell();
    }
}
