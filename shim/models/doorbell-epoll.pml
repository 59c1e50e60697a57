/*
 * The doorbell in an epoll instance (FreeFlow.Shim/Readiness follows this model; doorbell.pml is the part for poll(2)).
 *
 * One side. Thread Epoll waits for data of the incoming ring: the doorbell is registered edge triggered (EPOLLET) and never emptied by it. Thread
 * Sleeper of the same process waits for space of the outgoing ring in poll(2) on the same doorbell, and empties it. The kernel's rule (epoll(7), seen in
 * fs/eventpoll.c): a write to the eventfd puts the registration on the ready list (Edge); epoll_wait takes it off and reports it only if the eventfd is
 * readable at that moment. So a doorbell emptied in between swallows the event. Who has emptied it therefore nudges: it writes a second eventfd that
 * the shim keeps in the epoll instance for itself (Nudge, level triggered, emptied by who waits in epoll).
 *
 * Memory is sequentially consistent here: where the fences must stand is shown in doorbell.pml.
 * Proved: every item arrives in both directions and every thread ends.
 *
 * Faults: FAULT_NO_NUDGE   who empties the doorbell tells nobody
 *         FAULT_NOT_ARMED  a new ring has ReaderWaiting = 0 although epoll_wait sleeps already
 *         FAULT_NO_REARM   epoll_wait sleeps again without ReaderWaiting and second look
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
byte Sleepers;
bool Bell, Edge, Nudge;

inline RingBell() { atomic { Bell = true; Edge = true } }

inline Notify(waiting) {
    if
    :: !waiting
    :: else ->
        atomic { taken = waiting; waiting = false }
        if
        :: taken -> RingBell()
        :: else
        fi
    fi
}

active proctype Epoll() {
    goto asleep;   /* it slept before the ring came, and the ring's creator armed it */
    do
    :: InHead == ITEMS -> break
    :: InHead < ITEMS && InTail != InHead -> InHead++
    :: InHead < ITEMS && InTail == InHead ->
#ifndef FAULT_NO_REARM
        ReaderWaiting = true;
        if
        :: InTail != InHead
        :: else ->
#else
        if
        :: true ->
#endif
asleep:     if   /* epoll_wait(2) */
            :: atomic { Edge -> Edge = false };
                if
                :: Bell
                :: else -> goto asleep   /* swallowed: the kernel goes on sleeping */
                fi
            :: atomic { Nudge -> Nudge = false }
            fi
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
            Sleepers--;
            if
            :: Sleepers == 0 ->
                Bell = false;
#ifndef FAULT_NO_NUDGE
                Nudge = true;
#endif
                if
                :: Sleepers != 0 -> RingBell()
                :: else
                fi
            :: else
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

