/*
 * The end of a direction, at any moment of its hand-over (FreeFlow.Shim/Sockets: Handover.AnnounceClose, Receiver.EmptyRing, Sender.IntoRing follow
 * this model). The end of stream always goes through the kernel, after the ring's bytes were published.
 *
 * The writer sends up to N bytes (more once nobody reads) and closes at any moment, or is killed between any two steps. The reader receives,
 * shuts its own sending half down at any moment (which the writer's kernel cannot tell from a death: both are a FIN), closes, or is killed.
 * The kernel: a byte given to a dead or closed reader is answered by a reset; who closes with kernel bytes unread resets at once.
 *
 * Proved: an end of stream is reported only after every published byte was delivered, in order; it is reported if the reader waits for it; a writer
 * never hangs, and one that goes on after its reader's end gets the error after at most a ring and one byte (no invalid end state, and the asserts).
 *
 * Faults: FAULT_NO_SECOND_LOOK        the kernel's end of stream is believed without looking at the ring once more
 *         FAULT_RECEIVE_NOT_PEEK      the question "end of stream?" takes a byte out of the kernel
 *         FAULT_READY_NO_SECOND_LOOK  in Ready, without retraction, the kernel's end of stream is believed although the writer has switched
 *         FAULT_WRITER_IGNORES_KERNEL a writer on a full ring sleeps on its doorbell alone
 *         FAULT_CLOSE_UNANNOUNCED     the last close of a reader sets no ReaderClosed, and the writer does not watch the kernel
 *         FAULT_FULL_RING_STAYS       a writer woken by the kernel's FIN on a full ring sleeps again instead of going back
 */
#ifndef N
#define N 3
#endif
#define CAPACITY 1

mtype = { Kernel, Ready, Ring, Back };

/* Shared words. */
mtype Handover = Kernel;
byte SwitchAt, BackAt, Tail, Head;
bool ReaderWaiting, WriterWaiting, ReaderClosed;

/* The kernel's TCP connection, seen from both ends. */
chan kernel = [N] of { byte };
bool WriterFin;        /* the reader's socket has the writer's FIN, behind the bytes */
bool ReaderFin;        /* the writer's socket has the reader's FIN: shutdown, close or death */
bool ReaderGone;       /* the reader's socket does not exist any more */
bool Reset;            /* the writer's socket has a reset */

chan ring = [CAPACITY] of { byte };
bool ReaderBell, WriterBell;

byte late;
byte published;        /* bytes a reader must see before the end of stream */
bool killWriter, killReader;
bool writerDone, writerError, readerDone, sawEnd;

inline Notify(waiting, bell) {
    if
    :: atomic { waiting -> waiting = false; bell = true }
    :: else
    fi
}

/* A byte that was taken although nobody reads any more. */
inline Late() {
    if
    :: ReaderGone -> late++; assert(late <= CAPACITY + 1)
    :: else
    fi
}

/* send(2) on the TCP socket. */
inline KernelSend() {
    atomic {
        if
        :: Reset -> writerError = true
        :: !Reset && ReaderGone -> Reset = true; published++; Late()   /* taken, and answered by a reset */
        :: !Reset && !ReaderGone -> published++; kernel!published
        fi
    }
}

inline SendBack() {
    BackAt = Tail;
    Handover = Back;
    phase = Back;
    Notify(ReaderWaiting, ReaderBell)
}

proctype Writer() {
    mtype phase = Kernel;
    bool finished;
    {
        do
        :: break   /* closes */
        :: (published < N || ReaderGone) && !writerError ->
            if
            :: phase == Kernel && Handover == Ready ->
                SwitchAt = published;
                if
                :: atomic { Handover == Ready -> Handover = Ring }; phase = Ring
                :: else
                fi
            :: phase == Ring && ReaderClosed -> SendBack()
            :: else
            fi;
            if
            :: phase != Ring -> KernelSend()
            :: phase == Ring && nfull(ring) ->
                ring!(published + 1);
                atomic { Tail++; published++; Late() };
                Notify(ReaderWaiting, ReaderBell)
            :: phase == Ring && full(ring) ->
                if
                :: finished -> SendBack()   /* nobody may be reading any more: the kernel knows */
                :: else ->
                    WriterWaiting = true;
                    if
                    :: nfull(ring) || ReaderClosed
                    :: else ->
                        if   /* poll(2) on the doorbell and the kernel socket */
                        :: WriterBell -> WriterBell = false
#if !defined(FAULT_WRITER_IGNORES_KERNEL) && !defined(FAULT_CLOSE_UNANNOUNCED)
                        :: ReaderFin || Reset ->
#ifndef FAULT_FULL_RING_STAYS
                            finished = true
#else
                            (WriterBell); WriterBell = false
#endif
#endif
                        fi
                    fi
                fi
            fi
        od;
        WriterFin = true
    } unless {
        atomic { killWriter -> WriterFin = true }
    };
    writerDone = true
}

inline Deliver(channel) {
    channel?value;
    assert(value == expected);
    expected++
}

inline EndOfStream() {
    assert(expected == published + 1);
    sawEnd = true
}

proctype Reader() {
    mtype phase = Kernel, seen;
    byte value, expected = 1, KernelConsumed, tailSeen;
    bool sleeps;
    {
        do
        :: break   /* closes */
        :: !sawEnd -> ReaderFin = true   /* shutdown(SHUT_WR) */
        :: !sawEnd ->
            sleeps = false;
            if
            :: phase == Kernel -> Handover = Ready; phase = Ready
            :: phase == Ready ->
                if
#ifdef FAULT_READY_NO_SECOND_LOOK
                :: Handover == Ready ->
#else
                :: atomic { Handover == Ready -> Handover = Kernel };
#endif
                    if
                    :: atomic { nempty(kernel) -> Deliver(kernel); KernelConsumed++ }
                    :: atomic { empty(kernel) && WriterFin -> EndOfStream() }
                    :: empty(kernel) && !WriterFin -> sleeps = true
                    fi;
#ifndef FAULT_READY_NO_SECOND_LOOK
                    Handover = Ready
#endif
                :: else -> phase = Ring
                fi
            :: phase == Ring && KernelConsumed < SwitchAt -> atomic { Deliver(kernel); KernelConsumed++ }
            :: phase == Ring && KernelConsumed >= SwitchAt ->
                seen = Handover;
                if
                :: Tail != Head -> atomic { Deliver(ring); Head++ }; Notify(WriterWaiting, WriterBell)
                :: else ->
                    if
                    :: seen == Back -> assert(BackAt == Head); phase = Back
                    :: else ->   /* ask the kernel, by MSG_PEEK */
                        if
#ifdef FAULT_RECEIVE_NOT_PEEK
                        :: atomic { nempty(kernel) -> Deliver(kernel) }
#else
                        :: nempty(kernel)   /* only after the way back: look again */
#endif
                        :: empty(kernel) && WriterFin ->
#ifndef FAULT_NO_SECOND_LOOK
                            if
                            :: Tail != Head || Handover == Back
                            :: else -> EndOfStream()
                            fi
#else
                            EndOfStream()
#endif
                        :: empty(kernel) && !WriterFin -> sleeps = true
                        fi
                    fi
                fi
            :: phase == Back ->
                if
                :: atomic { nempty(kernel) -> Deliver(kernel) }
                :: atomic { empty(kernel) && WriterFin -> EndOfStream() }
                :: empty(kernel) && !WriterFin -> sleeps = true
                fi
            fi;
            if
            :: !sleeps
            :: else ->
                ReaderWaiting = true;
                if
                :: (phase == Ready && Handover != Ready) || (phase == Ring && (Tail != Head || Handover == Back))
                :: else ->
                    (ReaderBell || nempty(kernel) || WriterFin);   /* poll(2) on the doorbell and the kernel socket */
                    ReaderBell = false
                fi
            fi
        od;
        /* Handover.AnnounceClose, then close(2). */
        if
        :: atomic { Handover == Ready -> Handover = Kernel }
        :: else
        fi;
#ifndef FAULT_CLOSE_UNANNOUNCED
        ReaderClosed = true;
        Notify(WriterWaiting, WriterBell);
#endif
        atomic { ReaderGone = true; ReaderFin = true; Reset = Reset || nempty(kernel) }
    } unless {
        atomic { killReader -> ReaderGone = true; ReaderFin = true; Reset = Reset || nempty(kernel) }
    };
    readerDone = true
}

init {
    atomic { run Writer(); run Reader() }
    if
    :: killWriter = true
    :: killReader = true
    :: true
    fi;
    (writerDone && readerDone)
}
