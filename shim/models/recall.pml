/*
 * A reader that the ring cannot follow (exec, SCM_RIGHTS) has what is unread brought back into the kernel (FreeFlow.Shim/Sockets: Recall.cs; the request is
 * the word ReaderWantsKernel of RingBlockHeader). One direction, already in the ring; byte p+1 lies at ring position p.
 *
 * A thread sends bytes 1..N, goes back by itself at any moment or not, and calls nothing any more when it is done: it may be idle for ever. Another one of the
 * writer's side answers once at any moment, or never. The reader reads the ring, asks up to twice, and then either is another program that knows of
 * the kernel only, or has withdrawn its request and reads on.
 *
 * Proved: every byte arrives once and in order, whatever the program after the reader is, and nobody waits for ever.
 *
 * Faults: FAULT_NO_SECOND_LOOK   the writer does not look for a request after it has published
 *         FAULT_NO_ARM           the reader asks without setting ReaderWaiting, which is what makes the writer look
 *         FAULT_READ_ON          the reader goes on reading the ring after it has asked
 *         FAULT_WITHDRAW_BLIND   the reader withdraws without a compare-and-swap
 *         FAULT_TAKE_UP_BLIND    the writer takes a request up without a compare-and-swap
 *         FAULT_BACK_IS_ENOUGH   the reader believes the ring empty because the writer is Back
 */
#ifndef N
#define N 4
#endif
#define CAPACITY 2
#define UNKNOWN 255

mtype = { Ring, Back, Kernel, None, Asked, TakenUp };

/* Shared words. */
mtype Handover = Ring, ReaderWantsKernel = None;
byte Tail, Head, BackAt = UNKNOWN;
bool ReaderWaiting;
chan kernel = [N] of { byte };

/* The writer's side. */
mtype SendPhase = Ring;
bool SendLock;
byte next = 1;

/* The reader's side. */
byte expected = 1;

#define LOCK(word)   atomic { !word -> word = true }
#define UNLOCK(word) word = false

/* Handover.SendBack with Recall.TakeUp. Caller holds SendLock and SendPhase is Ring. */
inline SendBack() {
    if
#ifdef FAULT_TAKE_UP_BLIND
    :: ReaderWantsKernel == Asked -> ReaderWantsKernel = TakenUp;
#else
    :: atomic { ReaderWantsKernel == Asked -> ReaderWantsKernel = TakenUp };
#endif
        position = Head;
        BackAt = position;
        do
        :: position < Tail -> kernel!position + 1; position++
        :: else -> break
        od
    :: else -> BackAt = Tail
    fi;
    Handover = Back;
    SendPhase = Back
}

/* Recall.Answer */
inline Answer() {
    if
    :: ReaderWantsKernel != None && SendPhase == Ring ->
        LOCK(SendLock);
        if
        :: SendPhase == Ring && ReaderWantsKernel != None -> SendBack()
        :: else
        fi;
        UNLOCK(SendLock)
    :: else
    fi
}

active proctype Writer() {
    byte position;
    bool woken;
    do
    :: next > N -> break
    :: next <= N && SendPhase == Back -> LOCK(SendLock); kernel!next; next++; UNLOCK(SendLock)
    :: next <= N && SendPhase == Ring ->
        if
        :: ReaderWantsKernel != None -> Answer()   /* MustGoBack */
        :: LOCK(SendLock);
            if
            :: SendPhase == Ring -> SendBack()
            :: else
            fi;
            UNLOCK(SendLock)
        :: ReaderWantsKernel == None ->
            LOCK(SendLock);
            woken = false;
            if
            :: SendPhase == Ring && Tail - Head < CAPACITY ->
                atomic { Tail++; next++ };
                if
                :: atomic { ReaderWaiting -> ReaderWaiting = false; woken = true }
                :: else
                fi
            :: else
            fi;
            UNLOCK(SendLock);
#ifndef FAULT_NO_SECOND_LOOK
            if
            :: woken -> Answer()
            :: else
            fi
#endif
        fi
    od
}

/* A doorbell wakes another thread, or the reader answers for a peer of its own process. */
active proctype Another() {
    byte position;
    if
    :: Answer()
    :: true
    fi
}

inline Deliver(what) {
    assert(what == expected);
    expected++
}

/* Recall.Ask, then Await: the phase says what came of it. */
inline AskAndAwait() {
    asked++;
    if
    :: Handover == Ring ->
        ReaderWantsKernel = Asked;   /* from None: this end alone sets it */
#ifndef FAULT_NO_ARM
        ReaderWaiting = true;
#endif
#ifdef FAULT_READ_ON
        if
        :: Tail != Head -> Deliver(Head + 1); Head++
        :: else
        fi;
#endif
        do
        :: Handover == Ring && Tail == Head -> phase = Kernel; break   /* whatever comes, comes by the kernel */
        :: Handover == Back -> Settle(); break
        :: Handover == Ring && Tail != Head ->   /* the time is over, or the stream has ended */
            if
#ifdef FAULT_WITHDRAW_BLIND
            :: ReaderWantsKernel == Asked -> ReaderWantsKernel = None; break
#else
            :: atomic { ReaderWantsKernel == Asked -> ReaderWantsKernel = None }; break
#endif
            :: else -> Handover == Back   /* taken up: wait for it */
            fi
        od
    :: Handover == Back
    fi
}

inline Settle() {
#ifdef FAULT_BACK_IS_ENOUGH
    phase = Kernel
#else
    if
    :: BackAt == Head -> phase = Kernel
    :: else   /* by its own will: what is left in the ring is read there */
    fi
#endif
}

active proctype Reader() {
    byte value, asked;
    mtype phase = Ring, seen;
    do
    :: expected > N -> break
    :: expected <= N && phase == Kernel ->
        kernel?value;
        Deliver(value)
    :: expected <= N && phase == Ring ->
        if
        :: asked < 2 -> AskAndAwait()
        :: atomic { Tail != Head -> Deliver(Head + 1) }; Head++
        :: Handover == Back && Tail == Head -> assert(BackAt == Head); phase = Kernel
        fi
    od
}
