/*
 * A reader of a mirrored ring that asks for its bytes by the kernel and takes the request back when nobody has answered in time (FreeFlow.Shim/Sockets: MirroredRecall.cs,
 * SendReturn.cs; FreeFlow.Router/Fabric/Streams: IncomingHalf.cs, OutgoingHalf.cs; the words are ReaderWantsKernel of the two blocks). Between two hosts no word changes
 * on both sides at once: a request that is taken back here may be taken up there at that moment. So the sender's side takes it up by a compare-and-swap, its router gives
 * it back by another one of the same word, and the reader waits for what that router says.
 *
 * The sender answers at any moment or never. The way between the routers may be lost at any moment; then the sender returns for that reason. The reader asks up to
 * twice. It is then either plain (it has read the mark), or knows that the request is withdrawn, or that the way is lost, where a mark may come: to a program that knows of one.
 *
 * Proved: no mark comes of a request that is known to be withdrawn; one that was taken up is waited for, and comes; nobody waits for ever.
 *
 * Faults: FAULT_NO_ANSWER       the reader does not wait for what the other router says
 *         FAULT_TAKE_UP_BLIND   the sender takes a request up without a compare-and-swap
 *         FAULT_GIVE_BACK_BLIND the sender's router gives a request back without one
 *         FAULT_UNTOLD          the reader's router answers for nobody if it has not told the other one of the request yet
 *         FAULT_ALWAYS_YES      the sender's router says that all is withdrawn, whatever it finds
 */
mtype = { None, Asked, TakenUp, Withdrawn };
mtype = { Recall, Withdraw, Yes, No };

mtype sWants = None, rWants = None;    /* ReaderWantsKernel of the sender's block, and of the reader's */
bool sBellGone, rBellGone, lost;
bool back;                             /* the sender has left the ring */
chan kernel = [1] of { mtype };        /* the mark, with the reason for it: Asked, or None for a lost way */
chan there = [2] of { mtype };
chan here = [2] of { mtype };

active proctype Sender() {
end:
    do
    :: back -> break
#ifdef FAULT_TAKE_UP_BLIND
    :: !back && sWants == Asked -> back = true; sWants = TakenUp; kernel!Asked
#else
    :: atomic { !back && sWants == Asked -> sWants = TakenUp }; back = true; kernel!Asked
#endif
    :: !back && sBellGone -> back = true; kernel!None
    :: !back -> back = true;   /* by its own will: closed, or shut down */
        if
        :: atomic { sWants == Asked -> sWants = TakenUp }
        :: else
        fi;
        kernel!None
    :: true -> break   /* idle for ever */
    od
}

active proctype SendersRouter() {
end:
    do
    :: lost -> sBellGone = true; break
    :: !lost && here?[Recall] -> here?Recall;
        if
        :: atomic { sWants == None && !back -> sWants = Asked }
        :: else
        fi
    :: !lost && here?[Withdraw] -> here?Withdraw;
#ifdef FAULT_ALWAYS_YES
        if
        :: atomic { sWants == Asked -> sWants = None }
        :: else
        fi;
        there!Yes
#else
        if
#ifdef FAULT_GIVE_BACK_BLIND
        :: sWants == Asked -> sWants = None; there!Yes
#else
        :: atomic { sWants == Asked -> sWants = None }; there!Yes
#endif
        :: else -> there!No
        fi
#endif
    od
}

active proctype ReadersRouter() {
    bool told, keeps;
    if
    :: keeps = true   /* the way is never lost */
    :: true
    fi;
end:
    do
    :: lost -> rBellGone = true; break
    :: !lost && !keeps -> lost = true
    :: !lost && rWants == Asked && !told -> told = true; here!Recall
    :: !lost && rWants == Withdrawn && told && nfull(here) -> told = false; here!Withdraw;
        /* One at a time: until the answer has come nothing else is told. */
        if
        :: there?Yes -> rWants = None
        :: there?No -> rWants = TakenUp
        :: !keeps -> lost = true
        fi
#ifndef FAULT_UNTOLD
    :: atomic { !lost && rWants == Withdrawn && !told -> rWants = None }
#endif
    od
}

active proctype Reader() {
    byte asked;
    mtype why;
    bool plain, withdrawn;
    do
    :: plain || asked == 2 -> break
    :: !plain && asked < 2 -> asked++; withdrawn = false;
        if
        :: atomic { rWants == None -> rWants = Asked }
        :: else
        fi;
        if
        :: kernel?why -> plain = true
        :: rBellGone -> break
        :: true ->   /* the time is over */
#ifdef FAULT_NO_ANSWER
            if
            :: atomic { rWants == Asked -> rWants = Withdrawn }
            :: else
            fi;
            withdrawn = true
#else
            if
            :: atomic { rWants == Asked -> rWants = Withdrawn }
            :: else
            fi;
            if
            :: rWants == None -> withdrawn = true
            :: rBellGone -> break
            :: kernel?why -> plain = true
            :: rWants == TakenUp -> kernel?why; plain = true
            fi
#endif
        fi
    od;
    /* Another program reads the kernel's stream. */
    do
    :: withdrawn && nempty(kernel) -> kernel?why; assert(why != Asked)
    :: timeout -> break
    od
}
