/*
 * The hand-over of one direction: kernel -> ring -> kernel, by stream offset (FreeFlow.Shim/Sockets: Handover.cs, Gate.cs, Sender.cs, Receiver.cs
 * follow this model; the shared word's states are FreeFlow.Contract.HandoverState, an end's own ones DirectionPhase).
 *
 * Two threads send bytes 1..N; the kernel's socket lock and SendLock number them. One thread receives until it has all; another receives once, through
 * the kernel if ReceiveGate lets it in, and may sleep there. The writer switches whenever it can, or not, and may go back at any moment from Ring.
 *
 * Proved: the bytes arrive exactly once and in order (assert), and both ends finish (no invalid end state).
 *
 * Faults: FAULT_SWITCH_IN_FLIGHT     the writer switches while a thread is inside a kernel send
 *         FAULT_READY_IN_FLIGHT      the reader announces Ready while a thread is inside a kernel receive
 *         FAULT_SWITCH_AT_LATE       SwitchAt is published after Ring
 *         FAULT_RING_TOO_EARLY       the ring is read before SwitchAt kernel bytes were
 *         FAULT_RECEIVE_WHILE_READY  the reader receives from the kernel without retracting Ready: switch, ring bytes and way back fit in between
 *         FAULT_UNBOUNDED_RECEIVE    in Ring the remaining kernel bytes are read without the bound SwitchAt
 *         FAULT_BACK_AT_LATE         BackAt is published after Back
 *         FAULT_NO_BACK_AT           the reader goes back to the kernel without reading the ring up to BackAt
 *         FAULT_HANDOVER_AFTER_TAIL  the reader looks at Tail, then at Handover, and then believes the ring to be empty
 */
#ifndef N
#define N 3
#endif
#define CAPACITY 2
#define UNKNOWN 255

mtype = { Kernel, Ready, Ring, Back, Switching };

/* Shared words. */
mtype Handover = Kernel;
byte SwitchAt = UNKNOWN, BackAt = UNKNOWN;
byte Tail, Head;
bool ReaderWaiting;

chan wire = [N] of { byte };       /* the TCP connection: bytes on their way, */
chan kernel = [N] of { byte };     /* and bytes in the receiving socket */
chan ring = [CAPACITY] of { byte };
bool Bell;

/* The writer's side. */
mtype SendPhase = Kernel;          /* SendGate, high half */
byte sendInside;                   /* SendGate, low half */
bool SendLock;
byte next = 1, KernelSent;

/* The reader's side. */
mtype ReceivePhase = Kernel;       /* ReceiveGate, high half */
byte receiveInside;                /* ReceiveGate, low half */
bool ReceiveLock;
byte expected = 1, KernelConsumed, ReceiveSwitchAt;

#define LOCK(word)   atomic { !word -> word = true }
#define UNLOCK(word) word = false

inline NotifyReader() {
    if
    :: atomic { ReaderWaiting -> ReaderWaiting = false; Bell = true }
    :: else
    fi
}

inline KernelSend() {
    atomic {
        if
        :: next <= N -> wire!next; next++; KernelSent++
        :: else
        fi
    }
}

/* Handover.TrySwitch. KernelSent is what the kernel itself counts (tcp(7), TCP_INFO). */
inline TrySwitch() {
    LOCK(SendLock);
    if
#ifdef FAULT_SWITCH_IN_FLIGHT
    :: atomic { SendPhase == Kernel -> SendPhase = Switching };
#else
    :: atomic { SendPhase == Kernel && sendInside == 0 -> SendPhase = Switching };
#endif
#ifndef FAULT_SWITCH_AT_LATE
        SwitchAt = KernelSent;
#endif
        if
        :: atomic { Handover == Ready -> Handover = Ring };
#ifdef FAULT_SWITCH_AT_LATE
            SwitchAt = KernelSent;
#endif
            SendPhase = Ring
        :: else -> SendPhase = Kernel
        fi
    :: else
    fi;
    UNLOCK(SendLock)
}

/* Handover.SendBack. Caller holds SendLock and SendPhase is Ring. */
inline SendBack() {
#ifndef FAULT_BACK_AT_LATE
    BackAt = Tail;
#endif
    Handover = Back;
#ifdef FAULT_BACK_AT_LATE
    BackAt = Tail;
#endif
    SendPhase = Back;
    NotifyReader()   /* courtesy: the next kernel byte would wake the reader as well */
}

active proctype Network() {
    byte value;
end:
    do
    :: atomic { wire?value -> kernel!value }
    od
}

active [2] proctype Writer() {
    do
    :: next > N -> break
    :: next <= N ->
        if
        :: Handover == Ready && SendPhase == Kernel -> TrySwitch()
        :: true
        fi;
        if
        :: atomic { SendPhase == Kernel -> sendInside++ };   /* Gate.Enter */
            KernelSend();
            sendInside--
        :: SendPhase == Ring ->
            LOCK(SendLock);
            if
            :: SendPhase == Ring && next <= N && nfull(ring) ->
                atomic { ring!next; next++ };
                Tail++;
                NotifyReader()
            :: SendPhase == Ring -> SendBack()
            :: else
            fi;
            UNLOCK(SendLock)
        :: SendPhase == Back -> KernelSend()
        :: SendPhase == Switching   /* the switcher holds SendLock: wait for it */
        fi
    od
}

/* The application has its next byte. */
inline Deliver(channel) {
    channel?value;
    assert(value == expected);
    expected++
}

/* Handover.AnnounceReady. KernelConsumed counts from the connection's first byte. */
inline AnnounceReady() {
    LOCK(ReceiveLock);
    if
#ifdef FAULT_READY_IN_FLIGHT
    :: atomic { ReceivePhase == Kernel -> ReceivePhase = Switching };
#else
    :: atomic { ReceivePhase == Kernel && receiveInside == 0 -> ReceivePhase = Switching };
#endif
        Handover = Ready;
        ReceivePhase = Ready
    :: else
    fi;
    UNLOCK(ReceiveLock)
}

/* A receive by the gate that blocks in the kernel. (At the end of the test the kernel gives up.) */
inline KernelReceive() {
    if
    :: atomic { nempty(kernel) -> Deliver(kernel); KernelConsumed++ }
    :: expected > N
    fi
}

/* ReceiveStep.Take: one attempt that never blocks, under ReceiveLock; "sleeps" is its EAGAIN. */
inline Step() {
    sleeps = false;
    LOCK(ReceiveLock);
    if
    :: ReceivePhase == Ready ->
        if
#ifdef FAULT_RECEIVE_WHILE_READY
        :: Handover == Ready ->
#else
        :: atomic { Handover == Ready -> Handover = Kernel };   /* retract: the writer cannot switch during the receive */
#endif
            if
            :: atomic { nempty(kernel) -> Deliver(kernel); KernelConsumed++ }
            :: empty(kernel) -> sleeps = true
            fi;
#ifndef FAULT_RECEIVE_WHILE_READY
            if
            :: Handover = Ready
            :: ReceivePhase = Kernel   /* or it has lost the wish: no ring from here on, until it announces again */
            fi
#endif
        :: else -> ReceiveSwitchAt = SwitchAt; ReceivePhase = Ring
        fi
#ifndef FAULT_RING_TOO_EARLY
    :: ReceivePhase == Ring && KernelConsumed < ReceiveSwitchAt ->
        if
        :: atomic { nempty(kernel) -> Deliver(kernel); KernelConsumed++ }
#ifdef FAULT_UNBOUNDED_RECEIVE
            ; if
            :: atomic { nempty(kernel) -> Deliver(kernel); KernelConsumed++ }
            :: else
            fi
#endif
        :: empty(kernel) -> sleeps = true
        fi
    :: ReceivePhase == Ring && KernelConsumed >= ReceiveSwitchAt ->
#else
    :: ReceivePhase == Ring ->
#endif
#ifdef FAULT_HANDOVER_AFTER_TAIL
        tailSeen = Tail;
        seen = Handover;
#else
        seen = Handover;
        tailSeen = Tail;
#endif
#ifdef FAULT_NO_BACK_AT
        if
        :: seen == Back -> ReceivePhase = Back
        :: seen != Back && tailSeen != Head -> atomic { Deliver(ring); Head++ }
#else
        if
        :: tailSeen != Head -> atomic { Deliver(ring); Head++ }
        :: tailSeen == Head && seen == Back -> assert(BackAt == Head); ReceivePhase = Back
#endif
        :: tailSeen == Head && seen != Back -> sleeps = true
        fi
    :: ReceivePhase == Back ->
        if
        :: atomic { nempty(kernel) -> Deliver(kernel) }
        :: empty(kernel) -> sleeps = true
        fi
    :: else
    fi;
    UNLOCK(ReceiveLock)
}

#define HAS_INPUT ((ReceivePhase == Ready && Handover != Ready) || \
    (ReceivePhase == Ring && KernelConsumed >= ReceiveSwitchAt && (Tail != Head || Handover == Back)))

active proctype Reader() {
    byte value, tailSeen;
    mtype seen;
    bool sleeps;
    do
    :: expected > N -> break
    :: expected <= N ->
        if
        :: ReceivePhase == Kernel -> AnnounceReady()
        :: atomic { ReceivePhase == Kernel -> receiveInside++ }; KernelReceive(); receiveInside--
        :: ReceivePhase != Kernel ->
            Step();
            if
            :: sleeps ->
                ReaderWaiting = true;
                if
                :: HAS_INPUT || ReceivePhase == Kernel
                :: else -> (Bell || nempty(kernel) || expected > N); Bell = false
                fi
            :: else
            fi
        fi
    od
}

/* Another thread that receives once through the kernel, at any moment. */
active proctype Visitor() {
    byte value;
    if
    :: atomic { ReceivePhase == Kernel -> receiveInside++ }; KernelReceive(); receiveInside--
    :: true
    fi
}
