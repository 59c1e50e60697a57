/*
 * The return from a mirrored ring (return.pml) when the sender's program sleeps elsewhere: its router stands in for it, with the program's own socket
 * (FreeFlow.Router/Fabric/Streams: StandIn.cs, OutgoingHalf.cs; FreeFlow.Shim/Sockets: SendReturn.cs). The two share the block's words and nothing else; the router takes
 * none of the shim's locks. Who works on the return says so in Returner. A call of the program that has looked already, and publishes after the router has left the ring,
 * finds that the reader waits, looks once more, and sends what is behind ReturnEnd by itself. When the program has left the ring, Tail is final, and it says so in WriterLeft;
 * when it has shut its stream down as well, whoever brings the last byte into the kernel ends the stream there.
 *
 * The program sends up to N bytes in a ring of CAPACITY, may sleep for ever after any of them and in the midst of its own return, and may shut its stream down before it
 * does. The router stands in at any moment, and helps whenever the program pauses; both give the kernel piece by piece. The link may carry on meanwhile: the reader reads
 * its ring, and the sender's router hears of that. Ring position p holds byte p + 1 at p % CAPACITY.
 *
 * Proved: the reader gets every byte that was taken from the program, once and in order, and then the end if there is one, though the program never calls again; no mark
 * is in two pieces or there twice; nothing comes behind the end.
 *
 * Faults: FAULT_NO_ARM      the router leaves the ring without making the reader wait: a byte that comes then stays there
 *         FAULT_NO_TURNS    both give the kernel pieces of one return at once
 *         FAULT_FORWARD_ON  bytes are forwarded after the ring has been left: the reader gets what is behind its end twice
 *         FAULT_NEW_RETURN  the shim begins a return of its own where the router has begun one
 *         FAULT_NOT_LEFT    the program does not say that Tail is final: what it published last stays behind
 *         FAULT_EARLY_END   the router ends the stream where it began to return, not where the program's bytes end
 *         FAULT_LATE_WORD   a shutdown that finds the return begun says so, and does not look whether all was sent, and the router gone, before it could know
 */
#define N 4
#define CAPACITY 2
#define MARK 0
#define END 100

mtype = { None, Writer, Router, Paused, Done };
mtype = { Ring, Back };
mtype = { Not, Left, ShutDown };

/* The sender's block. */
mtype Handover = Ring, Returner = None, WriterLeft = Not;
bool taken, ReaderWaiting;             /* ReaderWantsKernel is TakenUp */
byte Tail, Head, BackAt, ReturnEnd, ReturnSent;
byte data[CAPACITY];

chan kernel = [N + 5] of { byte };     /* bytes; MARK, which arrives whole; END */
byte forwarded, read;                  /* into the reader's ring, and read there */
byte next = 1;                         /* the program's next byte */
bool shut;                             /* its flag, which only its own calls see */
bool ended;                            /* shutdown(2) has been called for the socket; a second time changes nothing */

#define SENT_TO(place) (ReturnSent > 0 && BackAt + ReturnSent - 1 >= place)
/* One piece of a return that was begun: the mark, then a byte. */
inline Piece(place) {
    if
    :: ReturnSent == 0 -> kernel!MARK; ReturnSent = 1
    :: ReturnSent > 0 && BackAt + ReturnSent - 1 < place -> kernel!data[(BackAt + ReturnSent - 1) % CAPACITY]; ReturnSent++
    fi
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
        BackAt = Head; ReturnEnd = Tail; ReturnSent = 0; Handover = Back
#ifndef FAULT_NEW_RETURN
    :: before == Paused
#endif
    fi;
    taken = true;
    inRing = false;
    returning = true;
#ifndef FAULT_NOT_LEFT
    WriterLeft = Left;
#endif
    Returner = Paused;
    Advance()
}

active proctype Program() {
    mtype before;
    bool inRing = true, returning, woken;
    do
    :: next > N -> break
    :: next <= N && returning -> Advance()   /* a call that waits for the return, or gives it a push */
    :: next <= N && !inRing && !returning -> atomic { kernel!next; next++ }
    :: next <= N && inRing && taken -> Leave()
    :: next <= N && inRing && !taken ->
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
            :: woken && taken -> Leave()
            :: else
            fi
        :: Tail - Head >= CAPACITY -> (taken || Tail - Head < CAPACITY)
        fi
    :: true -> break
    od;
    if
    :: true   /* sleeps elsewhere, for ever */
    :: true ->
        /* Sockets.Shutdown, and then it does */
        if
        :: inRing -> Leave()
        :: else
        fi;
        shut = true;
        if
        :: returning ->
#ifndef FAULT_NOT_LEFT
            WriterLeft = ShutDown;
#endif
#ifndef FAULT_LATE_WORD
            Advance()
#endif
        :: else -> EndStream()
        fi
    fi
}

active proctype StandIn() {
    mtype left;
    byte goal;
    bool present = true;
    /* It begins by itself, or goes on where either of the two has paused; and is gone when a program that has left the ring has nothing more in it. */
end:
    do
    :: atomic { Returner == None && Handover == Ring -> Returner = Router };
        taken = true;
        /* Room that the program hears of later is the reader's to have read: what it writes there is dropped behind the mark. */
        BackAt = Head;
#ifndef FAULT_NO_ARM
        ReaderWaiting = true;
#endif
#ifdef FAULT_FORWARD_ON
        ReturnEnd = Tail; ReturnSent = 0; Handover = Back;
#else
        atomic { ReturnEnd = Tail; ReturnSent = 0; Handover = Back };   /* under MirroredRing.Forwarding */
#endif
        Returner = Paused
    :: atomic { present && Returner == Paused && (!SENT_TO(ReturnEnd) || (WriterLeft != Not && !SENT_TO(Tail)) || (WriterLeft == ShutDown && !ended)) -> Returner = Router };
        left = WriterLeft;
        if
        :: left == Not -> goal = ReturnEnd
#ifdef FAULT_EARLY_END
        :: else -> goal = ReturnEnd
#else
        :: else -> goal = Tail
#endif
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

active proctype Link() {
end:
    do
#ifdef FAULT_FORWARD_ON
    :: atomic { forwarded < Tail -> forwarded++ }
#else
    :: atomic { Handover == Ring && forwarded < Tail -> forwarded++ }
#endif
    :: atomic { Head != read -> Head = read }
    od
}

active proctype Reader() {
    byte expected = 1, value, dropped, from;
    bool marked, over;
end:
    do
    :: atomic { !marked && read < forwarded -> assert(expected == read + 1); read++; expected++ }
    :: atomic { !marked && nempty(kernel) -> kernel?value; assert(value == MARK); from = BackAt; dropped = from; assert(forwarded <= ReturnEnd); marked = true; value = 0 }
    :: atomic { marked && nempty(kernel) ->
        kernel?value;
        assert(value != MARK && !over);
        if
        :: value == END -> over = true; assert(dropped >= read)
        :: value != END && dropped < read -> dropped++
        :: else -> assert(value == expected); expected++; dropped++
        fi;
        value = 0 }
    :: timeout -> assert(expected == next && over == shut); break
    od
}
