using System;
using System.Threading;
using FreeFlow.Router.Fabric.Wire;
using FreeFlow.Router.Policy;

namespace FreeFlow.Router.Fabric.Streams;

/// <summary>
/// One connection's end here, bound to its other end's router by a link. The link's sending thread owns <see cref="Send"/> and the end of it, its receiving thread
/// <see cref="Handle"/>, <see cref="Reserve"/> and <see cref="Publish"/>.
/// </summary>
/// <param name="number">This side's number: frames to this router name it.</param>
/// <param name="remote">The number by which frames to the other router name it.</param>
/// <param name="ring">This end's; the stream's from now on.</param>
/// <param name="speaksFirst">The other router knows the stream already; otherwise it is the one to speak first, and until it has done so it may not know it.</param>
/// <param name="name">For log lines.</param>
internal sealed class FabricStream(uint number, uint remote, MirroredRing ring, bool speaksFirst, string name) : IDisposable
{
    private const uint AnswerReleased = 1, AnswerRecall = 2, AnswerStays = 4, AnswerLeaves = 8;

    private readonly OutgoingHalf _outgoing = new(ring);
    private readonly IncomingHalf _incoming = new(ring);
    private uint _answers;
    private bool _opened, _closeTold;
    private bool _heard, _confirmed, _abandoned, _remoteClosed, _left, _shimGone;

    /// <summary>This side's number: frames to this router name it.</summary>
    public uint Number { get; } = number;

    /// <summary>The number by which frames to the other router name it.</summary>
    public uint Remote { get; } = remote;

    /// <summary>How fast the bytes that the program here sends may go, and when their turn is; null: as they come.</summary>
    public SendRate? Limit { get; init; }

    /// <summary>Called once, by the link's receiving thread, when the other router has shown that it has the stream, too.</summary>
    public Action? Confirmed { get; init; }

    /// <summary>Called instead, by any thread, if the stream has ended before.</summary>
    public Action? Unconfirmed { get; init; }

    /// <summary>The program's own socket, for what the program does not get to (<see cref="StandIn"/>). Null: it does it itself.</summary>
    public SocketLoan? Loan { get; init; }

    /// <summary>For log lines.</summary>
    public string Name { get; } = name;

    public MirroredRing Ring { get; } = ring;

    public ulong BytesSent => _outgoing.Forwarded;

    /// <summary>Sending thread: it is in the list of those with something to do.</summary>
    public bool IsQueued { get; set; }

    /// <summary>The shim's end of the bell is closed, or the shim cannot be believed any more.</summary>
    public bool IsShimGone { get => _shimGone || Volatile.Read(ref _left); set => _shimGone = value; }

    /// <summary>The other router is done with it.</summary>
    public bool IsRemoteClosed => Volatile.Read(ref _remoteClosed);

    /// <summary>Both sides are done: nothing names it any more.</summary>
    public bool IsOver => _closeTold && IsRemoteClosed;

    /// <summary>True if the shim has written what it never may.</summary>
    public bool IsCorrupt => _outgoing.Corrupt || _incoming.Corrupt;

    /// <summary>The program has closed the connection.</summary>
    public void Leave() => Volatile.Write(ref _left, true);

    /// <summary>The connection is to go back to the kernel, as if the fabric had failed.</summary>
    public void Abandon() => Volatile.Write(ref _abandoned, true);

    /// <summary>Receiving thread: the program here has written something that is not on its way yet.</summary>
    public bool HasMore => _outgoing.HasMore;

    /// <summary>Receiving thread: somebody looks for <see cref="HasMore"/>, so that the shim need not ring; until <see cref="Arm"/>.</summary>
    public void Disarm() => _outgoing.Disarm();

    /// <summary>Sending thread: puts everything that is due into frames. True if more is left.</summary>
    public bool Send(FrameWriter writer, ulong quota)
    {
        if (_closeTold || (!speaksFirst && !Volatile.Read(ref _heard))) return false;
        ulong head = _incoming.Promise();
        long frames = writer.Frames;
        FrameHeader header = new() { Stream = Remote, Credit = head };
        if (IsCorrupt || IsRemoteClosed || Volatile.Read(ref _abandoned)) { TellClose(writer, header); return false; }
        Answer(writer, header);
        _incoming.Tell(writer, header, IsShimGone);
        bool wasBack = _outgoing.IsBack, more = _outgoing.Forward(writer, header, quota, IsShimGone);
        if (_outgoing.IsBack && !wasBack) StandInLater(StandInCause.Asked, StandIns.Soon);
        if (IsCorrupt || (!more && IsShimGone)) TellClose(writer, header);
        else if (writer.Frames == frames && (!_opened || _incoming.IsWorthTelling(head)))
        {
            header.Type = FrameType.Credit;
            writer.Write(header);
        }
        if (writer.Frames != frames) _incoming.Told(head);
        _opened = true;
        return more;
    }

    /// <summary>Sending thread, before it sleeps: true if there is something to do after all.</summary>
    public bool Arm() => !_closeTold && !IsShimGone && (speaksFirst || Volatile.Read(ref _heard)) && (_outgoing.Arm() || _incoming.Arm() || Volatile.Read(ref _answers) != 0);

    /// <summary>As <see cref="Arm"/>, for what the program here reads only.</summary>
    public bool ArmReading() => !_closeTold && !IsShimGone && _incoming.Arm();

    /// <summary>Receiving thread: acts on a frame that is not Data. False if no honest router sends it; <paramref name="wake"/> if the sending thread has something to say.</summary>
    public bool Handle(in FrameHeader frame, out bool wake)
    {
        wake = !_heard;
        Volatile.Write(ref _heard, true);
        if (!_confirmed && frame.Type != FrameType.Close)
        {
            _confirmed = true;
            Confirmed?.Invoke();
        }
        if (!_outgoing.Acknowledge(frame.Credit)) return false;
        switch (frame.Type)
        {
            case FrameType.Credit:
                return true;
            case FrameType.Ready:
                _outgoing.ReaderReady();
                return true;
            case FrameType.Switch:
                if (!_incoming.Switch(frame.Position)) wake |= Ask(AnswerRecall);
                return true;
            case FrameType.Recall:
                if (frame.Position == FrameHeader.Withdrawn) wake |= Ask(_outgoing.TryStayOnRing() ? AnswerStays : AnswerLeaves);
                else if (_outgoing.TryRelease()) wake |= Ask(AnswerReleased);
                else StandInLater(StandInCause.Asked, StandIns.Patience);
                return true;
            case FrameType.Released:
                _incoming.Released();
                return true;
            case FrameType.RecallAnswer:
                return _incoming.RecallAnswered(withdrawn: frame.Position == FrameHeader.Withdrawn);
            case FrameType.WriterClosed:
                return _incoming.WriterClosed(frame.Position);
            case FrameType.ReaderClosed:
                _outgoing.ReaderClosed(readsOn: frame.Position == FrameHeader.ReadsOn);
                return true;
            case FrameType.Close:
                Volatile.Write(ref _remoteClosed, wake = true);
                return true;
            default:
                return false;
        }
    }

    /// <inheritdoc cref="IncomingHalf.Reserve"/>
    public bool Reserve(in FrameHeader frame, out Span<byte> first, out Span<byte> second)
    {
        first = second = default;
        return _outgoing.Acknowledge(frame.Credit) && _incoming.Reserve(frame.Position, frame.Length, out first, out second);
    }

    /// <inheritdoc cref="IncomingHalf.Publish"/>
    public bool Publish(int bytes) => _incoming.Publish(bytes);

    /// <summary>After both threads are done with it: closes this side of the doorbell, by which the shim learns that the kernel has its bytes again.</summary>
    public void Dispose()
    {
        if (!_confirmed) Unconfirmed?.Invoke();
        _incoming.ReleaseIfUntold();
        // Who sends from now on finds a reader to wake, and the doorbell closed.
        Ring.AskToBeWoken();
        if (!IsShimGone && !IsCorrupt) StandInLater(StandInCause.Lost, StandIns.Patience);
        Ring.Dispose();
    }

    private void StandInLater(StandInCause cause, int pause)
    {
        if (Loan is not null && !StandIn.IsNeedless(Ring)) StandIns.Add(new StandIn(Ring.Retain(), Loan, cause), pause);
    }

    private bool Ask(uint answer)
    {
        Interlocked.Or(ref _answers, answer);
        return true;
    }

    private void Answer(FrameWriter writer, FrameHeader header)
    {
        if (Volatile.Read(ref _answers) == 0) return;
        uint answers = Interlocked.Exchange(ref _answers, 0);
        if ((answers & AnswerReleased) != 0) writer.Write(header with { Type = FrameType.Released });
        if ((answers & (AnswerStays | AnswerLeaves)) != 0) writer.Write(header with { Type = FrameType.RecallAnswer, Position = (answers & AnswerStays) != 0 ? FrameHeader.Withdrawn : 0u });
        if ((answers & AnswerRecall) != 0) writer.Write(header with { Type = FrameType.Recall });
    }

    private void TellClose(FrameWriter writer, FrameHeader header)
    {
        writer.Write(header with { Type = FrameType.Close });
        _closeTold = true;
    }
}
