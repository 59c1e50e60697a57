/*
 * The return from a mirrored ring (return.pml) when the sender's program sleeps elsewhere: its router stands in for it, with the program's own socket
 * (FreeFlow.Router/Fabric/Streams: StandIn.cs, OutgoingHalf.cs; FreeFlow.Shim/Sockets: SendReturn.cs). The two share the block's words and nothing else; the router takes
 * none of the shim's locks. Who works on the return says so in Returner. A call of the program that has looked already, and publishes after the router has left the ring,
 * finds that the reader waits, looks once more, and sends what is behind ReturnEnd by itself.
 *
 * The program sends bytes 1..N in a ring of CAPACITY, and may sleep for ever after any of them. The router stands in at any moment, once; both give the kernel piece by piece.
 * The link may carry on meanwhile: the reader reads its ring, and the sender's router hears of that. Ring position p holds byte p + 1 at p % CAPACITY.
 *
 * Proved: the reader gets every byte that was taken from the program, once and in order, if the router has stood in, though the program never calls again; no mark is in two
 * pieces or there twice.
 *
 * Faults: FAULT_NO_ARM      the router leaves the ring without making the reader wait: a byte that comes then stays there
 *         FAULT_NO_TURNS    both give the kernel pieces of one return at once
 *         FAULT_FORWARD_ON  bytes are forwarded after the ring has been left: the reader gets what is behind its end twice
 *         FAULT_NEW_RETURN  the shim begins a return of its own where the router has begun one
 */
#define N 4
#define CAPACITY 2
#define MARK 0

mtype = { None, Writer, Router, Paused, Done };
mtype = { Ring, Back };

/* The sender's block. */
mtype Handover = Ring, Returner = None;
bool taken, ReaderWaiting;             /* ReaderWantsKernel is TakenUp */
byte Tail, Head, BackAt, ReturnEnd, ReturnSent;
byte data[CAPACITY];

chan kernel = [N + 4] of { byte };     /* bytes, or MARK, which arrives whole */
byte forwarded, read;                  /* into the reader's ring, and read there */
byte next = 1;                         /* the program's next byte */
bool stood;                            /* the router has stood in, and is done */

/* One piece of a return that was begun: the mark, then a byte. */
inline Piece(end) {
    if
    :: ReturnSent == 0 -> kernel!MARK; ReturnSent = 1
    :: ReturnSent > 0 && BackAt + ReturnSent - 1 < end -> kernel!data[(BackAt + ReturnSent - 1) % CAPACITY]; ReturnSent++
    fi
}

/* SendReturn.Begin and Advance */
inline Leave() {
#ifdef FAULT_NO_TURNS
    before = Returner;
    if
    :: before == Router -> before = Paused
    :: else -> Returner = Writer
    fi;
#else
    atomic { Returner != Router -> before = Returner; Returner = Writer };
#endif
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
    do
    :: ReturnSent > 0 && BackAt + ReturnSent - 1 >= Tail -> Returner = Done; break
    :: ReturnSent == 0 || BackAt + ReturnSent - 1 < Tail -> Piece(Tail);
        if
        :: true
        :: Returner = Paused;   /* the kernel takes no more: a later call goes on */
            atomic { Returner != Router -> Returner = Writer }
        fi
    od
}

active proctype Program() {
    mtype before;
    bool inRing = true, woken;
    do
    :: next > N -> break
    :: next <= N && !inRing -> atomic { kernel!next; next++ }
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
    :: true -> break   /* sleeps elsewhere, for ever */
    od
}

active proctype StandIn() {
    bool mine;
    if
    :: atomic { Returner == None && Handover == Ring -> Returner = Router }; mine = true;
        taken = true;
        /* Room that the program hears of later is the reader's to have read: what it writes there is dropped behind the mark. */
        BackAt = Head;
#ifndef FAULT_NO_ARM
        ReaderWaiting = true;
#endif
#ifdef FAULT_FORWARD_ON
        ReturnEnd = Tail; ReturnSent = 0; Handover = Back
#else
        atomic { ReturnEnd = Tail; ReturnSent = 0; Handover = Back }   /* under MirroredRing.Forwarding */
#endif
    :: Returner != None
    fi;
    do
    :: !mine && Returner == Done -> break
    :: atomic { !mine && Returner == Paused -> Returner = Router }; mine = true
    :: mine && ReturnSent > 0 && BackAt + ReturnSent - 1 >= ReturnEnd -> Returner = Paused; break
    :: mine && (ReturnSent == 0 || BackAt + ReturnSent - 1 < ReturnEnd) -> Piece(ReturnEnd);
        if
        :: true
        :: Returner = Paused; mine = false
        fi
    od;
    stood = true
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
    bool marked;
end:
    do
    :: atomic { !marked && read < forwarded -> assert(expected == read + 1); read++; expected++ }
    :: atomic { !marked && nempty(kernel) -> kernel?value; assert(value == MARK); from = BackAt; dropped = from; assert(forwarded <= ReturnEnd); marked = true; value = 0 }
    :: atomic { marked && nempty(kernel) ->
        kernel?value;
        assert(value != MARK);
        if
        :: dropped < read -> dropped++
        :: else -> assert(value == expected); expected++; dropped++
        fi;
        value = 0 }
    :: timeout -> assert(!stood || expected == next); break
    od
}
