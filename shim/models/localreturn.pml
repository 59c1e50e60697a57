/*
 * The way back from a ring that both ends share (FreeFlow.Shim/Sockets: SendReturn.cs, ReceiveReturn.cs, Recall.cs; FreeFlow.Router/Fabric/Streams: StandIn.cs). The writer
 * leaves the ring when its stream ends, or when the reader asks, because another program, which knows of the kernel only, goes on with its end. It says where the kernel's
 * bytes begin (BackAt, what it knows to be read) and brings in what is behind it. The reader goes on reading the ring meanwhile; where it stops, T, is its own affair: it drops
 * T - BackAt bytes of the kernel's. What the kernel does not take at once of a stream that ends stays in the ring, if nobody has asked for it. A writer that does not come to it is stood in for by the router, with the turns and words of standin.pml.
 *
 * The router may also begin by itself, for a program that does not hear of its ring (Unheard): the reader goes to the kernel as soon as it sees that.
 *
 * The program sends up to N bytes in a ring of CAPACITY, may sleep for ever after any of them and in the midst of its own return, and may end its stream before it does. The
 * reader asks up to twice; it may withdraw, or become another program at once. One that has read everything may close. Ring position p holds byte p + 1 at p % CAPACITY.
 *
 * Proved: whoever reads gets every byte that was taken from the writer, once and in order, and then the end if there is one, though the writer never calls again; and a reader
 * that closes with nothing unread gets nothing more that would be answered with a reset.
 *
 * Faults: FAULT_NO_ARM         the router leaves the ring without making the reader wait: a byte that comes then stays there
 *         FAULT_NO_TURNS       writer and router give the kernel pieces of one return at once
 *         FAULT_NEW_RETURN     the writer begins a return of its own where the router has begun one
 *         FAULT_NOT_LEFT       the writer does not say that Tail is final: what it published last stays behind
 *         FAULT_NO_DROP        the reader does not drop what it has read from the ring
 *         FAULT_READ_ON        the reader goes on reading the ring after it has stopped
 *         FAULT_LEFT_IN_RING   a writer that ends its stream leaves what is unread in the ring
 *         FAULT_BEGUN_UNSEEN   the reader becomes another program without looking whether a return has begun that does not know how far it has read
 *         FAULT_STOP_BLIND     a writer that ends its stream stops without looking whether the reader has asked meanwhile
 *         FAULT_STOP_UNSEEN    the reader believes that a writer that has stopped has brought in everything
 *         FAULT_CLOSED_UNSEEN  the writer does not look whether the reader has closed after it has said Back
 *         FAULT_UNHEARD_EARLY  the reader goes to the kernel before that has everything, which the writer may then leave in the ring
 *         FAULT_CLOSED_UNHEARD the router does not look whether the reader has closed after it has said Back
 *         FAULT_CLOSE_AT_ONCE  the reader closes without waiting for what comes once more
 */
#define N 3
#define CAPACITY 2
#define END 100
#define UNKNOWN 200

mtype = { None, Writer, Router, Paused, Done };
mtype = { Ring, Back, Kernel, Closed };
mtype = { Not, Left, ShutDown };
mtype = { Nobody, Asked, TakenUp, Unheard, UnheardAndAsked };

mtype Handover = Ring, Returner = None, WriterLeft = Not, ReaderWants = Nobody;
bool ReaderWaiting, ReaderClosed;
byte Tail, Head, BackAt, ReturnEnd, ReturnSent;
byte data[CAPACITY];

chan kernel = [2 * N + 2] of { byte };
byte next = 1;         /* the writer's next byte */
bool shut, ended;
byte T = UNKNOWN;      /* the reader's, once it has closed */

#define SENT_TO(place) (BackAt + ReturnSent >= place)
inline Piece(place) {
    assert(T == UNKNOWN || BackAt + ReturnSent >= T);   /* nothing for a reader that has closed and has had it */
    kernel!data[(BackAt + ReturnSent) % CAPACITY];
    ReturnSent++
}

inline EndStream() {
    if
    :: atomic { !ended -> kernel!END; ended = true }
    :: ended
    fi
}

/* ReturnTurns.Take */
inline Take() {
#ifdef FAULT_NO_TURNS
    before = Returner;
    if
    :: before == Router -> before = Paused
    :: else -> Returner = Writer
    fi
#else
    atomic { Returner != Router -> before = Returner; Returner = Writer }
#endif
}

/* SendReturn.Advance: until the kernel takes no more. */
inline Advance() {
    Take();
    do
    :: SENT_TO(Tail) ->
        if
        :: shut -> EndStream()
        :: else
        fi;
        Returner = Done; returning = false; break
    :: !SENT_TO(Tail) -> Piece(Tail)
    :: !SENT_TO(Tail) -> Returner = Paused; break
    od
}

/* SendReturn.Begin */
inline Leave() {
    Take();
    if
#ifdef FAULT_NEW_RETURN
    :: true ->
#else
    :: before == None ->
#endif
        BackAt = Head; ReturnEnd = Tail; ReturnSent = 0;
#ifdef FAULT_LEFT_IN_RING
        BackAt = Tail;
#endif
        Handover = Back
#ifndef FAULT_NEW_RETURN
    :: before == Done -> BackAt = Tail; ReturnEnd = Tail; ReturnSent = 0   /* the reader had closed when the router began */
    :: before == Paused
#endif
    fi;
    if
    :: atomic { ReaderWants == Asked -> ReaderWants = TakenUp }
    :: else
    fi;
    inRing = false;
    returning = true;
#ifndef FAULT_NOT_LEFT
    WriterLeft = Left;
#endif
    if
#ifndef FAULT_CLOSED_UNSEEN
    :: ReaderClosed -> returning = false; Returner = Done
    :: !ReaderClosed ->
#else
    :: true ->
#endif
        Returner = Paused;
        Advance()
    fi
}

/* SendReturn.StopUnlessWanted, at the end of the stream: what the kernel has not taken stays in the ring. */
inline Stop() {
    if
    :: atomic { returning && Returner == Paused -> Returner = Done };
        if
#ifdef FAULT_STOP_BLIND
        :: true -> returning = false
#else
        :: ReaderWants == Nobody -> returning = false
        /* Who has not asked goes to the kernel only where that has all of it. */
        :: ReaderWants == Unheard && !SENT_TO(ReturnEnd) -> returning = false
        :: ReaderWants != Nobody && !(ReaderWants == Unheard && !SENT_TO(ReturnEnd)) -> Returner = Paused
#endif
        fi
    :: else
    fi
}

active proctype Program() {
    mtype before;
    bool inRing = true, returning, woken;
    do
    :: next > N -> break
    :: next <= N && returning -> Advance()
    :: next <= N && !inRing && !returning -> atomic { kernel!next; next++ }
    :: next <= N && inRing && ReaderWants != Nobody -> Leave()
    :: next <= N && inRing && ReaderWants == Nobody ->
        if
        :: Tail - Head < CAPACITY ->
            data[Tail % CAPACITY] = next;
            atomic { Tail++; next++ };
            woken = false;
            if
            :: atomic { ReaderWaiting -> ReaderWaiting = false; woken = true }
            :: else
            fi;
            if
            :: woken && ReaderWants != Nobody -> Leave()
            :: else
            fi
        :: Tail - Head >= CAPACITY -> (ReaderWants != Nobody || ReaderClosed || Tail - Head < CAPACITY);
            if
            :: ReaderClosed -> break
            :: else
            fi
        fi
    :: true -> break
    od;
    if
    :: true   /* sleeps elsewhere, for ever */
    :: true ->
        /* Sockets.Shutdown, and then it does */
        if
        :: inRing -> Leave(); Stop()
        :: else
        fi;
        shut = true;
        if
        :: returning ->
#ifndef FAULT_NOT_LEFT
            WriterLeft = ShutDown;
#endif
            Advance()
        :: else -> EndStream()
        fi
    fi
}

active proctype StandIn() {
    mtype left;
    byte goal;
    bool present = true, warned, begins = true;
end:
    do
    /* StandIn.Warn, once: who writes from now on leaves the ring */
    :: atomic { !warned && ReaderWants == Nobody -> ReaderWants = Unheard; warned = true };
        ReaderWaiting = true
    :: atomic { Returner == None && Handover == Ring && ReaderWants != Nobody && ReaderWants != TakenUp -> Returner = Router };
        if
        :: atomic { ReaderWants == Asked -> ReaderWants = TakenUp }
        :: ReaderWants == Unheard || ReaderWants == UnheardAndAsked
        :: else -> begins = false   /* withdrawn */
        fi;
        if
        :: begins ->
#ifndef FAULT_NO_ARM
            ReaderWaiting = true;
#endif
            BackAt = Head;
            ReturnEnd = Tail; ReturnSent = 0; Handover = Back;
            if
#ifndef FAULT_CLOSED_UNHEARD
            :: ReaderClosed -> present = false; Returner = Done
            :: !ReaderClosed -> Returner = Paused
#else
            :: true -> Returner = Paused
#endif
            fi
        :: else -> Returner = None; begins = true
        fi
    /* StandIn.IsNeedless: not for a reader that has closed */
    :: atomic { present && T == UNKNOWN && Returner == Paused && (!SENT_TO(ReturnEnd) || (WriterLeft != Not && !SENT_TO(Tail)) || (WriterLeft == ShutDown && !ended)) -> Returner = Router };
        left = WriterLeft;
        if
        :: left == Not -> goal = ReturnEnd
        :: else -> goal = Tail
        fi;
        do
        :: SENT_TO(goal) ->
            if
            :: left == ShutDown -> EndStream()
            :: else
            fi;
            present = (left == Not);
            break
        :: !SENT_TO(goal) -> Piece(goal)
        :: !SENT_TO(goal) -> break
        od;
        Returner = Paused
    od
}

/* ReceiveReturn.IsStopped: the rest is in the ring only. */
#ifdef FAULT_STOP_UNSEEN
#define STOPPED false
#else
#define STOPPED (Returner == Done && BackAt + ReturnSent < ReturnEnd)
#endif

/* ReceiveReturn.TakeShared */
inline TakeUp() {
    from = BackAt;
    stopped = Head;
    assert(from <= stopped || from == Tail);
#ifdef FAULT_NO_DROP
    from = stopped;
#endif
    phase = Kernel
}

/* A kernel byte: dropped if it was read from the ring. */
inline Hear() {
    kernel?value;
    if
    :: value == END -> over = true; assert(from >= stopped || stopped == Tail)   /* all was read in the ring */
    :: value != END && from < stopped -> from++
    :: else -> assert(value == expected); expected++; from++
    fi;
    value = 0
}

active proctype Reader() {
    byte expected = 1, value, from, stopped, asks;
    mtype phase = Ring;
    bool over;
end:
    do
    :: phase == Kernel && nempty(kernel) -> Hear()
#ifdef FAULT_READ_ON
    :: phase == Kernel && Tail != Head -> assert(data[Head % CAPACITY] == expected); expected++; Head++
#endif
    :: phase == Ring && Tail != Head -> assert(data[Head % CAPACITY] == expected); atomic { expected++; Head++ }
    :: phase == Ring && Handover == Back ->
        if
        :: Tail == Head -> TakeUp()
        :: else
        fi
    /* Recall.IsUnheard */
#ifdef FAULT_UNHEARD_EARLY
    :: phase == Ring && Handover == Back && (ReaderWants == Unheard || ReaderWants == UnheardAndAsked) -> TakeUp()
#else
    :: phase == Ring && Handover == Back && (ReaderWants == Unheard || ReaderWants == UnheardAndAsked) && SENT_TO(ReturnEnd) -> TakeUp()
#endif
    :: phase == Ring && asks < 2 ->
        /* Recall.Ask: the ring is not read any more */
        asks++;
        if
        :: atomic { ReaderWants == Nobody -> ReaderWants = Asked }
        :: atomic { ReaderWants == Unheard -> ReaderWants = UnheardAndAsked }
        :: else
        fi;
        ReaderWaiting = true;
        if
        :: Handover == Back ->
            if
            :: STOPPED   /* reads on in the ring */
            :: !STOPPED -> TakeUp()
            fi
        /* Nothing is left, or another program goes on at once: what comes comes by the kernel. Who begins to return from now on sees this Head. */
#ifdef FAULT_BEGUN_UNSEEN
        :: Handover == Ring -> stopped = Head; from = Head; phase = Kernel
#else
        :: atomic { Handover == Ring && Returner == None -> stopped = Head; from = Head; phase = Kernel }
#endif
        :: atomic { ReaderWants == Asked -> ReaderWants = Nobody }                           /* withdrawn */
        fi
    :: phase == Ring && Tail == Head && Handover == Ring && asks == 0 && expected == next ->
        /* Handover.AnnounceClose */
        ReaderClosed = true;
        if
        :: Handover == Back ->
            TakeUp();
#ifndef FAULT_CLOSE_AT_ONCE
            do
            :: atomic { from < stopped && nempty(kernel) -> kernel?value; from++; if :: value == END -> from = stopped :: else fi; value = 0 }
            :: from >= stopped -> break
            :: from < stopped && empty(kernel) && Returner == Done -> break
            od;
#endif
            T = stopped
        :: Handover == Ring -> T = Head
        fi;
        phase = Closed
    :: timeout ->
        assert(phase == Closed || (expected == next && over == shut));
        break
    od
}
