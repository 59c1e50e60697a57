/*
 * The doorbell in an epoll instance (FreeFlow.Shim/Readiness/EpollWaiter.cs and Memory/Doorbell.cs follow this model; doorbell.pml is poll(2) alone).
 *
 * One side of a connection. Thread Epoll waits for data of the incoming ring: the doorbell is registered edge triggered (EPOLLET) and never emptied
 * by it (of all but one byte, that the socket may not become full: Doorbell.Heard). Thread Sleeper of the same process waits for space of the
 * outgoing ring, in poll(2) on the same doorbell, and empties it. The kernel's rule (epoll(7)): a byte that comes to the doorbell puts the registration on the ready list (Edge); epoll_wait takes it off and reports it only if the
 * doorbell is readable at that moment. A doorbell emptied in between swallows the event. So who has emptied it makes the registration Hot (to be looked at)
 * and, if a thread sleeps in epoll_wait, writes the instance's own eventfd (Nudge: level triggered, emptied by who comes out of epoll_wait).
 *
 * Memory is sequentially consistent here: where the fences must stand is shown in doorbell.pml.
 * Proved: every item arrives in both directions, every thread ends, and Sleeper wakes only if the peer has rung since it last did.
 *
 * Faults: FAULT_NO_NUDGE            who empties the doorbell makes Hot, but wakes nobody
 *         FAULT_NUDGE_HEATS_NOT     who comes out of epoll_wait by the nudge trusts that what is to be looked at is still Hot
 *         FAULT_EPOLL_SLEEPERS_LATE the thread counts itself as sleeping only after it has armed and looked again
 *         FAULT_NOT_ARMED           a new ring has ReaderWaiting = 0 although epoll_wait sleeps already
 *         FAULT_NO_SECOND_LOOK      no look at the ring between arming and sleeping
 */
#define ITEMS 3
#define CAPACITY 1

byte InTail, InHead;      /* ring that Epoll reads */
byte OutTail, OutHead;    /* ring that Sleeper writes */
#ifdef FAULT_NOT_ARMED
bool ReaderWaiting = false;
#else
bool ReaderWaiting = true;
#endif
bool WriterWaiting;
byte Sleepers;            /* in poll(2): ConnectionRecord.Sleepers */
byte EpollSleepers = 1;   /* in epoll_wait(2): EpollInstance.Sleepers */
bool Hot = true;          /* to be looked at in user space; a registration that is not Hot is armed */
bool Bell, Edge, Nudge;
bool PeerRang;            /* since the doorbell was last emptied */

inline Notify(waiting) {
    if
    :: !waiting
    :: else ->
        atomic { taken = waiting; waiting = false }
        if
        :: taken -> atomic { Bell = true; Edge = true; PeerRang = true }
        :: else
        fi
    fi
}

active proctype Epoll() {
    goto asleep;   /* it slept before the ring came, and the ring's creator armed it */
    do
    :: InHead == ITEMS -> break
    :: InHead < ITEMS && Hot && InTail != InHead -> InHead++
    :: InHead < ITEMS && !(Hot && InTail != InHead) ->
#ifndef FAULT_EPOLL_SLEEPERS_LATE
        EpollSleepers++;
#endif
        if
        :: Hot ->
            ReaderWaiting = true;
#ifdef FAULT_NO_SECOND_LOOK
            Hot = false
#else
            if
            :: atomic { InTail == InHead -> Hot = false }   /* the instance's lock */
            :: else
            fi
#endif
        :: else
        fi;
#ifdef FAULT_EPOLL_SLEEPERS_LATE
        EpollSleepers++;
#endif
        if
        :: Hot -> EpollSleepers--
        :: else ->
asleep:     if   /* epoll_wait(2) */
            :: atomic { Edge -> Edge = false };
                if
                :: Bell -> Hot = true
                :: else -> goto asleep   /* swallowed: the kernel goes on sleeping */
                fi
            :: atomic { Nudge -> Nudge = false };
#ifndef FAULT_NUDGE_HEATS_NOT
                Hot = true   /* every registration of the instance: what Sleeper made Hot may have been armed and cooled again in between */
#endif
            fi;
            EpollSleepers--
        fi
    od
}

active proctype Sleeper() {
    do
    :: OutTail == ITEMS -> break
    :: OutTail < ITEMS && OutTail - OutHead < CAPACITY -> OutTail++
    :: OutTail < ITEMS && OutTail - OutHead >= CAPACITY ->
        Sleepers++;
        WriterWaiting = true;
        if
        :: OutTail - OutHead < CAPACITY -> Sleepers--
        :: else ->
            Bell;
            assert(PeerRang);
            Sleepers--;
            if
            :: atomic { Sleepers == 0 -> Bell = false; PeerRang = false }   /* the doorbell's lock */
            :: else
            fi;
            Hot = true;
            if
            :: EpollSleepers == 0
            :: else ->
#ifndef FAULT_NO_NUDGE
                Nudge = true
#else
                skip
#endif
            fi
        fi
    od
}

/* The other side: produces and consumes at any moment. */
active proctype PeerWriter() {
    bool taken;
    do
    :: InTail == ITEMS -> break
    :: InTail < ITEMS && InTail - InHead < CAPACITY -> InTail++; Notify(ReaderWaiting)
    od
}

active proctype PeerReader() {
    bool taken;
    do
    :: OutHead == ITEMS -> break
    :: OutHead < ITEMS && OutTail != OutHead -> OutHead++; Notify(WriterWaiting)
    od
}
