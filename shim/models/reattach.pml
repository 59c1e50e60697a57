/*
 * One direction of a connection that loses its mirrored ring and gets another one (docs/fabric.md; FreeFlow.Shim/Sockets: Reattachment.cs, Rejoining.cs; the router's
 * RemoteBroker.cs, HeldRing.cs). What a return does inside is return.pml's; here it is one step: a mark, and the ring's bytes again from one that the reader may have.
 *
 * The way is lost at any step, and each end hears of it at another time. Who has returned offers again and says how many marks it has sent. The reader's router may know
 * an offer that has been taken back since. A reader that was Ready when its way was lost cannot know whether a mark is to come: it learns that from the join.
 *
 * Proved: the reader gets bytes 1..N in order, and no mark as the program's; nobody waits for ever.
 *
 * Faults: FAULT_TOLD_AT_ONCE     the accepting router tells its end of the ring before the other one has confirmed: an old count is believed
 *         FAULT_NO_COUNT         a reader that was Ready takes the new ring whatever the count says
 *         FAULT_EARLY_OFFER      the sender offers, and says how many marks it has sent, before its return is in the kernel
 *         FAULT_DETACHED_UNREAD  the reader gives the pages of a ring back that has bytes it has not taken up
 */
#ifndef N
#define N 3
#endif
#define RINGS 3   /* rings that the connection may have */

mtype = { Kernel, Ready, Ring, Returning, Back };
mtype = { Data, Mark, End };

chan kernel = [N + RINGS + 2] of { mtype, byte };

/* The ring of the present join: the sender's words and the reader's; the routers copy them while the way is there. */
mtype sHandover = Kernel, rHandover = Kernel;
byte sTail, rTail, rFrom, sFrom, rHead;   /* bytes by number: up to Tail has been written, from From on by the ring */
bool lost = true, sGone = true, rGone = true;
bool rEmptied;   /* the reader has given the ring's pages back */
byte rings;

/* Offers. */
bool sOffered, rOffered, known;          /* known: the reader's router has an offer of the sender's, perhaps an old one */
byte sMarks, offeredMarks, knownMarks;   /* marks sent; as offered; as known there */
bool sJoin, rJoin;                       /* a join is in the mailbox */
byte rMarksToFind;

byte next = 1;
bool sJoined, rJoined;
mtype SendPhase = Kernel;

/* ---- the sender */

active proctype Sender() {
    byte K;
    do
    :: next <= N && SendPhase == Kernel -> atomic { kernel!Data, next; next++ }
    :: atomic { sJoined && !sGone && SendPhase == Kernel && sHandover == Ready -> sHandover = Ring; sFrom = next; sTail = next - 1; SendPhase = Ring }
    :: atomic { next <= N && SendPhase == Ring -> sTail++; next++ }
    :: sJoined && sGone && SendPhase == Ring ->
        atomic {
            sHandover = Back; sMarks++;
            SendPhase = Returning;
            K = (rHead >= sFrom -> rHead : sFrom - 1);   /* what it knows to be read, at most all that is */
            if :: true :: K >= sFrom -> K = sFrom - 1 fi
        }
#ifdef FAULT_EARLY_OFFER
        sOffered = true; offeredMarks = sMarks - 1;
#endif
        kernel!Mark, K + 1;
        do
        :: K < sTail -> K++; kernel!Data, K
        :: else -> break
        od;
        SendPhase = Back; K = 0
    :: atomic { sJoined && sGone && SendPhase == Kernel && sHandover == Ready -> sHandover = Back; sMarks++; SendPhase = Returning };
        kernel!Mark, next;
        SendPhase = Back
    :: atomic { sJoined && sGone && (SendPhase == Back || (SendPhase == Kernel && sHandover != Ready)) ->
        if :: SendPhase == Kernel -> sHandover = Back :: else fi;
        SendPhase = Kernel; sJoined = false }
    :: atomic { !sJoined && !sOffered && !sJoin && rings < RINGS -> sOffered = true; offeredMarks = sMarks }
    :: atomic { sJoin -> sJoin = false; sOffered = false; sJoined = true }
    :: atomic { next > N && !sJoin && SendPhase == Kernel && !sJoined -> break }
    od;
    kernel!End, 0
}

/* ---- the routers, and the way between them */

active proctype Routers() {
end:
    do
    :: atomic { sOffered && !sJoin -> known = true; knownMarks = offeredMarks }
    /* Both take part: the offer that is known is the present one. */
    :: atomic { known && rOffered && sOffered && !sJoin && knownMarks == offeredMarks && sGone && rGone && !sJoined && !rJoined && rings < RINGS ->
        rings++;
        /* The sender's end may offer by another link, too: what is known may outlive the join. */
        if :: known = false :: true fi;
        sHandover = Kernel; rHandover = Kernel; rHead = 0; rFrom = 0; rTail = 0; sFrom = 0; sTail = 0;
        lost = false; sGone = false; rGone = false; rEmptied = false;
        sJoin = true; rJoin = true; rOffered = false; rMarksToFind = knownMarks }
#ifdef FAULT_TOLD_AT_ONCE
    :: atomic { known && rOffered && !sOffered && rGone && !rJoined && rings < RINGS ->
        rings++; known = false; rHandover = Kernel; rJoin = true; rOffered = false; rMarksToFind = knownMarks }
#endif
    :: atomic { !lost && sHandover == Kernel && rHandover == Ready -> sHandover = Ready }
    :: atomic { !lost && (sHandover == Ring || sHandover == Back) && sFrom != 0 && rHandover == Ready -> rFrom = sFrom; rTail = sFrom - 1; rHandover = Ring }
    :: atomic { !lost && sHandover == Ring && rHandover == Ring && rTail < sTail -> rTail++ }
    :: atomic { !lost -> lost = true }
    :: atomic { lost && !sGone -> sGone = true }
    :: atomic { lost && !rGone -> rGone = true }
    od
}

/* ---- the reader */

#define READ(v) atomic { assert(v == expected); expected++ }

active proctype Reader() {
    byte expected = 1, value, found;
    mtype phase = Kernel;
    bool done;
    do
    :: done -> break
    :: !done && phase == Kernel && rJoined && !rGone && rHandover == Kernel -> atomic { rHandover = Ready; phase = Ready }
    :: !done && phase == Kernel && nempty(kernel) ->
        if
        :: atomic { kernel?Data, value -> READ(value) }
        :: kernel?[End, _] -> done = true
        :: kernel?[Mark, _] -> assert(false)
        fi
    :: !done && phase == Ready && (nempty(kernel) || rHandover == Ring) ->
        if
        :: atomic { rHandover == Ring && expected == rFrom -> phase = Ring; rHead = rFrom - 1 }
        :: atomic { kernel?[Data, _] && (rHandover != Ring || expected < rFrom) -> kernel?Data, value; READ(value) }
        :: atomic { rHandover != Ring && kernel?[Mark, _] -> kernel?Mark, value; found++; rHandover = Back; phase = Returning }
        :: kernel?[End, _] -> done = true
        fi
    :: !done && phase == Ring ->
        if
        :: atomic { rHead < rTail -> assert(!rEmptied); rHead++; READ(rHead) }
        :: atomic { rHead == rTail && kernel?[Mark, _] -> kernel?Mark, value; found++; rHandover = Back; phase = Returning }
        fi
    :: !done && phase == Returning ->
        /* Behind the mark: what was read from the ring already is dropped. */
        if
        :: atomic { value < expected -> kernel?Data, _; value++ }
        :: atomic { value == expected -> phase = Back }
        fi
    :: !done && phase == Back -> phase = Kernel
    /* Detached, and offered: Ready is as good as Kernel here. */
#ifdef FAULT_DETACHED_UNREAD
    :: atomic { !done && rJoined && rGone && (phase == Kernel || phase == Ready) -> rJoined = false; rEmptied = true }
#else
    :: atomic { !done && rJoined && rGone && (phase == Kernel || (phase == Ready && rHandover != Ring)) -> rJoined = false; rEmptied = true }
#endif
    :: atomic { !done && !rJoined && !rOffered && !rJoin && (phase == Kernel || phase == Ready) -> rOffered = true }
    :: atomic { !done && rJoin ->
        rJoin = false;
        if
#ifdef FAULT_NO_COUNT
        :: phase == Ready -> phase = Kernel; rJoined = true
#else
        :: phase == Ready && rMarksToFind == found -> phase = Kernel; rJoined = true
#endif
        :: phase == Kernel && rMarksToFind == found -> rJoined = true
        :: else -> lost = true; rGone = true   /* not now: the sender finds its bell closed */
        fi }
    od;
    assert(expected == N + 1);
}
