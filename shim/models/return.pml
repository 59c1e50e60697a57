/*
 * One direction of a connection between two hosts (docs/fabric.md; FreeFlow.Shim/Sockets: SendReturn.cs, ReceiveReturn.cs, MirroredReceiver.cs, MirroredLook.cs). Each
 * end has a block of its own, S and R, which its router mirrors; a word that one router tells the other arrives later, or never: a router may die, and the way between
 * them be lost, at any step, and each end hears of it at another time.
 *
 * The sender sends bytes 1..N, through the kernel or the ring, and then closes, or is killed at any moment. A kernel byte is {Data, value, 0}; a return {Mark, K, E},
 * which arrives whole; the end of the stream {End, 0, 0}. Ring position p holds byte SwitchAt + p + 1. The reader may ask for the kernel once, at any moment.
 *
 * Proved: the reader gets exactly the sender's bytes, in order, and no mark; a clean end of stream only with nothing missing; a reset only if the sender was killed, or
 * its router died before it could know that the reader is Ready; and nobody waits for ever.
 *
 * Faults: FAULT_K_IS_TAIL         the sender goes on at its Tail: what the reader has not got from the ring is lost
 *         FAULT_NO_MARK_IF_READY  a sender that has not switched yet goes on in the kernel without a mark
 *         FAULT_READY_TOO_EARLY   the router sets Ready before the reader has: the mark meets a reader that does not look for it
 *         FAULT_NO_SCAN           a reader that is Ready does not look for the mark
 *         FAULT_NO_DROP           the reader does not drop what it has read from the ring
 *         FAULT_READ_ON           the reader goes on reading the ring beyond T
 *         FAULT_END_BELIEVED      an end of stream counts without the router's word or a mark
 *         FAULT_NO_E              an end of stream in the midst of a return counts
 *         FAULT_WHOLE_TOO_EARLY   the router says that the ring is whole before everything is in it
 *         FAULT_TAIL_BEFORE_WHOLE the reader looks for bytes, then for the router's word, and then believes the ring to be empty
 *         FAULT_TAKEN_BACK        a reader that wants the kernel takes Ready back by itself
 */
#ifndef N
#define N 2
#endif
#define CAPACITY 2
#define UNKNOWN 255

mtype = { Kernel, Ready, Ring, Returning, Back };
mtype = { Data, Mark, End };
mtype = { ToReady, ToWant, ToHead, ToSwitch, ToTail, ToWhole, ToKernel };

/* The sender's block. */
mtype sHandover = Kernel;
byte sTail, sHead, sSwitchAt;
bool sWantsKernel, sBellGone;
/* The reader's. */
mtype rHandover = Kernel;
byte rTail, rHead, rSwitchAt = UNKNOWN;
bool rWantsKernel, rWhole, rBellGone;

chan kernel = [N + 2] of { mtype, byte, byte };
chan there = [4] of { mtype, byte };   /* sender's router to reader's, */
chan here = [4] of { mtype, byte };    /* and back */
bool lost;                             /* the way between them */

byte next = 1;                         /* the sender's next byte */
bool ended, killed, unknowing;         /* the sender has ended; by a kill; not knowing that the reader is Ready */
mtype SendPhase = Kernel;

/* ---- the sender */

inline Return() {
    K = sHead;
#ifdef FAULT_K_IS_TAIL
    K = sTail;
#endif
    sHandover = Back;
    SendPhase = Returning;
    kernel!Mark, K, sTail;
    do
    :: K < sTail && !killed -> kernel!Data, sSwitchAt + K + 1, 0; K++
    :: killed || K == sTail -> break
    od;
    SendPhase = Back
}

/* SendReturn.Forgo */
inline Forgo() {
    if
    :: atomic { sHandover == Ready -> sHandover = Back };
#ifndef FAULT_NO_MARK_IF_READY
        kernel!Mark, 0, 0;
#endif
        SendPhase = Back
    :: atomic { else -> unknowing = true }   /* not Ready yet, or not any more */
    fi
}

active proctype Sender() {
    byte K;
    do
    :: killed -> break
    :: !killed && next <= N && SendPhase == Kernel && (sHandover != Ready || !sBellGone) ->
        if
        :: atomic { sHandover == Ready && !sBellGone -> sSwitchAt = next - 1 };
            if
            :: atomic { sHandover == Ready -> sHandover = Ring }; SendPhase = Ring
            :: else
            fi
        :: atomic { kernel!Data, next, 0; next++ }
        fi
    :: !killed && SendPhase == Kernel && sHandover == Ready && sBellGone -> Forgo()
    :: !killed && next <= N && SendPhase == Ring && sTail - sHead < CAPACITY -> atomic { sTail++; next++ }
    :: !killed && SendPhase == Ring && (sBellGone || sWantsKernel) -> Return()
    :: !killed && next <= N && SendPhase == Back -> atomic { kernel!Data, next, 0; next++ }
    :: !killed && next > N ->   /* close */
        if
        :: SendPhase == Ring -> Return()
        :: SendPhase == Kernel -> Forgo()
        :: SendPhase == Back
        fi;
        break
    od;
    atomic {
        kernel!End, 0, 0;
        ended = true
    }
}

active proctype Killer() {
    if
    :: atomic { !ended -> killed = true }
    :: true
    fi
}

/* ---- the routers */

inline Die(bell) { lost = true; bell = true }

active proctype SendersRouter() {
    byte told;
    bool switched, whole;
end:
    do
    :: !sBellGone && lost -> sBellGone = true
    :: !sBellGone && !lost -> Die(sBellGone)
    :: atomic { sBellGone -> break }
    :: atomic { !sBellGone && !lost && sHandover == Ring && !switched -> switched = true; there!ToSwitch, sSwitchAt }
    :: atomic { !sBellGone && !lost && sHandover == Ring && switched && told < sTail && nfull(there) -> told = sTail; there!ToTail, told }
#ifdef FAULT_WHOLE_TOO_EARLY
    :: atomic { !sBellGone && !lost && ended && !whole && nfull(there) -> whole = true; there!ToWhole, 0 }
#else
    :: atomic { !sBellGone && !lost && ended && !whole && nfull(there) && (sHandover != Ring || (switched && told == sTail)) -> whole = true; there!ToWhole, 0 }
#endif
    :: atomic { !sBellGone && !lost && here?[ToReady, _] -> here?ToReady, _ };
        if
        :: atomic { sHandover == Kernel -> sHandover = Ready }
        :: else
        fi
    :: atomic { !sBellGone && !lost && here?[ToHead, _] -> here?ToHead, sHead }
    :: atomic { !sBellGone && !lost && here?[ToWant, _] && nfull(there) -> here?ToWant, _;
        if
        :: sHandover == Ready -> sHandover = Kernel; there!ToKernel, 0
        :: else -> sWantsKernel = true
        fi }
    od
}

active proctype ReadersRouter() {
    byte head;
    bool ready, want, refused;
end:
    do
    :: !rBellGone && lost -> rBellGone = true
    :: !rBellGone && !lost -> Die(rBellGone)
    :: atomic { rBellGone -> break }
#ifdef FAULT_READY_TOO_EARLY
    :: atomic { !rBellGone && !lost && !ready -> ready = true; here!ToReady, 0 }
#else
    :: atomic { !rBellGone && !lost && !ready && rHandover == Ready -> ready = true; here!ToReady, 0 }
#endif
    :: atomic { !rBellGone && !lost && ready && !want && (rWantsKernel || refused) -> want = true; here!ToWant, 0 }
    :: atomic { !rBellGone && !lost && head != rHead && nfull(here) -> head = rHead; here!ToHead, head }
    :: atomic { !rBellGone && !lost && there?[ToSwitch, _] -> there?ToSwitch, rSwitchAt };
        if
        :: atomic { rHandover == Ready -> rHandover = Ring }
        :: else -> refused = true
        fi
    :: atomic { !rBellGone && !lost && there?[ToTail, _] -> there?ToTail, rTail }
    :: atomic { !rBellGone && !lost && there?[ToWhole, _] -> there?ToWhole, _; rWhole = true }
    :: atomic { !rBellGone && !lost && there?[ToKernel, _] -> there?ToKernel, _ };
        if
        :: atomic { rHandover == Ready -> rHandover = Kernel }
        :: else
        fi
    od
}

/* ---- the reader */

inline Deliver(what) {
    assert(what == expected);
    expected++
}

/* The stream has ended without a mark: ReceiveReturn.Verdict. In this order: who has closed the bell, or said that it is whole, has put everything into the ring before. */
inline Verdict() {
    do
    :: gone = rBellGone;
#ifdef FAULT_TAIL_BEFORE_WHOLE
        more = (phase == Ready && rHandover != Ready) || (phase == Ring && rTail != rHead);
        whole = rWhole;
#else
        whole = rWhole;
        more = (phase == Ready && rHandover != Ready) || (phase == Ring && rTail != rHead);
#endif
#ifdef FAULT_END_BELIEVED
        whole = true;
#endif
        if
        :: more -> more = false; break
        :: !more && whole -> clean = true; break
        :: !more && !whole && gone -> reset = true; gone = false; break
        :: else -> gone = false; (rBellGone || rWhole || rTail != rHead || rHandover != Ready)
        fi
    od
}

active proctype Reader() {
    byte expected = 1, P, T, E, consumed, value;
    mtype phase = Kernel;
    bool asked, gone, whole, more, clean, reset, marked;
    do
    :: clean || reset -> break
    :: !clean && !reset && !asked && phase == Ready -> asked = true;
#ifdef FAULT_TAKEN_BACK
        if
        :: atomic { rHandover == Ready -> rHandover = Kernel }
        :: else
        fi
#else
        rWantsKernel = true
#endif
    :: !clean && !reset && !asked && phase == Ring -> asked = true; rWantsKernel = true
    :: !clean && !reset && phase == Kernel ->
        if
        :: rHandover = Ready; phase = Ready
        :: atomic { kernel?Data, value, _ -> Deliver(value); consumed++; value = 0 }
        :: kernel?[End, _, _] -> clean = true
        :: kernel?[Mark, _, _] -> assert(false)
        fi
    :: !clean && !reset && phase == Ready ->
        if
        :: rHandover == Kernel -> phase = Back
        :: rHandover == Ring -> phase = Ring
        :: rHandover == Ready && nempty(kernel) ->
            if
            :: atomic { kernel?Data, value, _ -> Deliver(value); consumed++; value = 0 }
            :: kernel?[Mark, _, _] ->
#ifdef FAULT_NO_SCAN
                assert(false)
#else
                if
                :: atomic { rHandover == Ready -> rHandover = Back }; kernel?Mark, P, E; assert(P == 0); T = 0; phase = Returning
                :: else   /* Ring: taken up next */
                fi
#endif
            :: kernel?[End, _, _] -> Verdict()
            fi
        fi
    :: !clean && !reset && phase == Ring && consumed < rSwitchAt ->
        if
        :: atomic { kernel?Data, value, _ -> Deliver(value); consumed++; value = 0 }
        :: kernel?[Mark, _, _] -> assert(false)
        :: kernel?[End, _, _] -> assert(false)
        fi
    :: !clean && !reset && phase == Ring && consumed >= rSwitchAt ->
        if
        :: !marked && rTail != rHead -> atomic { Deliver(rSwitchAt + rHead + 1); rHead++ }
        :: marked && rHead < T -> atomic { Deliver(rSwitchAt + rHead + 1); rHead++ }
#ifdef FAULT_READ_ON
        :: marked && rTail > rHead -> atomic { Deliver(rSwitchAt + rHead + 1); rHead++ }
#endif
        :: marked && rHead == T -> phase = Returning
        :: !marked && kernel?[Data, _, _] -> assert(false)
        :: !marked && kernel?[Mark, _, _] ->
            kernel?Mark, P, E;
            if
            :: T = rTail
            :: T = rHead   /* a reader that wants the kernel */
            fi;
            assert(P <= rHead && T <= E);
            rHandover = Back;
            marked = true
        :: !marked && kernel?[End, _, _] -> Verdict()
        fi
    :: !clean && !reset && phase == Returning ->
        if
#ifdef FAULT_NO_DROP
        :: P < T -> P = T
#else
        :: atomic { P < T && kernel?[Data, _, _] -> kernel?Data, _, _; P++ }
#endif
        :: atomic { P >= T && P < E && kernel?[Data, _, _] -> kernel?Data, value, _; Deliver(value); P++; value = 0 }
        :: P == E -> phase = Back
        :: P < E && kernel?[End, _, _] ->
#ifdef FAULT_NO_E
            clean = true
#else
            reset = true
#endif
        fi
    :: !clean && !reset && phase == Back ->
        if
        :: atomic { kernel?Data, value, _ -> Deliver(value); value = 0 }
        :: kernel?[End, _, _] -> clean = true
        :: kernel?[Mark, _, _] -> assert(false)
        fi
    od;
    assert(!clean || expected == next);
    assert(!reset || killed || unknowing)
}
