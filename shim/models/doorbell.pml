/*
 * The doorbell: who sleeps is woken, and only who sleeps (FreeFlow.Shim/Memory/Doorbell.cs follows this model).
 *
 * Two sides, two rings of one place each, two threads per side: one waits for data, one waits for space, both in poll(2) on the side's ONE
 * doorbell (a stream socket, level triggered). Memory is x86's: each thread's stores pass through a FIFO store buffer, loads overtake them, a fence
 * or a locked instruction waits until the own buffer is empty. Kernel objects (Bell) and the family's own Sleepers are not buffered.
 *
 * Proved: every item arrives and every thread ends; in other words, never do all sleep while there is something to do (no invalid end state).
 *
 * Faults: FAULT_NO_FENCE_WAITER   who is about to sleep does not fence between its Waiting word and its second look
 *         FAULT_NO_FENCE_NOTIFIER who publishes does not fence before it looks at the Waiting word
 *         FAULT_NOT_ARMED         a new ring has ReaderWaiting = 0 although its reader sleeps already
 *         FAULT_SLEEPERS_LATE     a thread counts itself as a sleeper only after it has armed and looked again
 *         FAULT_NO_SECOND_LOOK    no look at the ring between arming and sleeping
 *         FAULT_DRAIN_ALWAYS      the doorbell is emptied although the other thread still sleeps on it
 *         FAULT_DRAIN_UNLOCKED    Sleepers is looked at and the doorbell emptied without the lock under which others count themselves in
 */
#define CAPACITY 1
#define ITEMS (3 - 2 * ring)   /* side 0 is the busy sleeper: it sends 3, so it often waits for space, and waits for 1 */

/* Shared words of ring r; ring r carries side r to side 1-r. */
#define Tail(r)          (r)
#define Head(r)          (2 + (r))
#define ReaderWaiting(r) (4 + (r))
#define WriterWaiting(r) (6 + (r))
byte memory[8];

/* Threads 0, 1: writer of ring 0, 1. Threads 2, 3: reader of ring 0, 1. */
chan storeBuffer[4] = [2] of { byte, byte };

byte Sleepers[2];
bool Bell[2];

#define STORE(word, value) storeBuffer[self]!word, value
#define FENCE              empty(storeBuffer[self])

active proctype StoreBuffers() {
    byte word, value;
end:
    do
    :: atomic { storeBuffer[0]?word, value -> memory[word] = value }
    :: atomic { storeBuffer[1]?word, value -> memory[word] = value }
    :: atomic { storeBuffer[2]?word, value -> memory[word] = value }
    :: atomic { storeBuffer[3]?word, value -> memory[word] = value }
    od
}

/* Doorbell.NotifyReader, NotifyWriter: rings only if this thread is the one that takes the Waiting word from 1 to 0. */
inline Notify(waiting, peerSide) {
#ifndef FAULT_NO_FENCE_NOTIFIER
    FENCE;
#endif
    if
    :: memory[waiting] == 0
    :: else ->
        atomic { FENCE -> taken = memory[waiting]; memory[waiting] = 0 }
        if
        :: taken -> Bell[peerSide] = true
        :: else
        fi
    fi
}

/* Before the second look. Interlocked.Exchange is store and fence in one. */
inline Arm(waiting) {
#ifndef FAULT_SLEEPERS_LATE
    Sleepers[side]++;
#endif
    STORE(waiting, 1);
#ifndef FAULT_NO_FENCE_WAITER
    FENCE
#endif
}

#ifndef FAULT_SLEEPERS_LATE
#define GiveUp()    Sleepers[side]--
#define CountLate() skip
#else
#define GiveUp()    skip
#define CountLate() Sleepers[side]++
#endif

/* poll(2) has returned. Another thread may not start to sleep, be armed and be rung for between the look at Sleepers and the recv(2) that empties the
 * doorbell: who counts itself in (CountIn) takes the same lock, so the two are one step to it. */
inline WakeUp() {
    Sleepers[side]--;
#ifdef FAULT_DRAIN_ALWAYS
    Bell[side] = false
#else
#ifdef FAULT_DRAIN_UNLOCKED
    if
    :: Sleepers[side] == 0 -> Bell[side] = false
    :: else
    fi
#else
    if
    :: atomic { Sleepers[side] == 0 -> Bell[side] = false }
    :: else
    fi
#endif
#endif
}

proctype Writer(byte ring) {
    byte self = ring, side = ring, tail = 0;
    bool taken;
    do
    :: tail == ITEMS -> break
    :: tail < ITEMS && tail - memory[Head(ring)] < CAPACITY ->
        tail++;
        STORE(Tail(ring), tail);
        Notify(ReaderWaiting(ring), 1 - ring)
    :: tail < ITEMS && tail - memory[Head(ring)] >= CAPACITY ->
        Arm(WriterWaiting(ring));
        if
#ifndef FAULT_NO_SECOND_LOOK
        :: tail - memory[Head(ring)] < CAPACITY -> GiveUp()
        :: else ->
#else
        :: true ->
#endif
            CountLate();
            Bell[side];
            WakeUp()
        fi
    od
}

proctype Reader(byte ring) {
    byte self = 2 + ring, side = 1 - ring, head = 0;
    bool taken;
    goto asleep;   /* it slept before the ring came, and the ring's creator armed it */
    do
    :: head == ITEMS -> break
    :: head < ITEMS && memory[Tail(ring)] != head ->
        head++;
        STORE(Head(ring), head);
        Notify(WriterWaiting(ring), ring)
    :: head < ITEMS && memory[Tail(ring)] == head ->
        Arm(ReaderWaiting(ring));
        if
#ifndef FAULT_NO_SECOND_LOOK
        :: memory[Tail(ring)] != head -> GiveUp()
        :: else ->
#else
        :: true ->
#endif
            CountLate();
asleep:     Bell[side];
            WakeUp()
        fi
    od
}

init {
    atomic {
#ifndef FAULT_NOT_ARMED
        memory[ReaderWaiting(0)] = 1;
        memory[ReaderWaiting(1)] = 1;
#endif
        Sleepers[0] = 1;
        Sleepers[1] = 1;
        run Writer(0); run Writer(1); run Reader(0); run Reader(1)
    }
}
