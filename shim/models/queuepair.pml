/*
 * Messages between two queue pairs of one host (FreeFlow.Shim/Verbs/Requester.cs and Responder.cs follow this model).
 *
 * The sender puts messages into a ring of places and completes them in order: as soon as the receiver has posted a receive for a message, or has taken it. The receiver posts
 * receives, takes messages, and may end at any moment; what it has taken before stands. The sender looks whether the receiver has ended, then for an answer; finds it none and the
 * receiver ended, it looks once more, as the answer may have come in between. Memory is x86's: stores are seen in their order.
 *
 * Proved: every message is taken once, whole and in order; a request succeeds only if there is a receive for its message, and fails only if the message was not taken; every request
 * completes, unless one in front of it has failed (no invalid end state).
 *
 * Faults: FAULT_SEQUENCE_FIRST   the message is announced before it is whole
 *         FAULT_REUSE            a place is used again before its message has been taken
 *         FAULT_ONE_LOOK         no second look behind the receiver's end
 *         FAULT_NO_RECEIVE       a request succeeds without a receive for its message
 *         FAULT_SILENT_END       the receiver ends and does not say so
 */
#define PLACES 2
#define MESSAGES 4

byte Sequence[PLACES], Payload[PLACES];
byte Published, Consumed, Receives;
bool Ended;

#define ANSWERED(message) (Consumed > (message) || Receives > (message))

active proctype Sender() {
    byte completed;
    bool hasEnded, failed, hasLooked;
    do
    :: failed || completed == MESSAGES -> break
#ifdef FAULT_REUSE
    :: !failed && Published < MESSAGES ->
#else
    :: !failed && Published < MESSAGES && Published - Consumed < PLACES ->
#endif
#ifdef FAULT_SEQUENCE_FIRST
        Sequence[Published % PLACES] = Published + 1;
        Payload[Published % PLACES] = 100 + Published;
#else
        Payload[Published % PLACES] = 100 + Published;
        Sequence[Published % PLACES] = Published + 1;
#endif
        Published++
#ifdef FAULT_NO_RECEIVE
    :: !failed && completed < Published ->
        assert(ANSWERED(completed));
        completed++
#endif
    :: !failed && completed < Published && (!hasLooked || ANSWERED(completed) || Ended) ->
        hasLooked = true;
        hasEnded = Ended;
        if
        :: ANSWERED(completed) -> assert(Receives > completed); completed++; hasLooked = false
        :: else ->
            if
#ifdef FAULT_ONE_LOOK
            :: Ended -> assert(Consumed <= completed); failed = true
            :: !Ended -> skip
#else
            :: hasEnded && ANSWERED(completed) -> completed++; hasLooked = false
            :: hasEnded && !ANSWERED(completed) -> assert(Consumed <= completed); failed = true
            :: !hasEnded -> skip
#endif
            fi
        fi
    :: !failed && completed == Published && Ended -> failed = true
    od
}

active proctype Receiver() {
    byte taken;
    do
    :: Receives < MESSAGES -> Receives++
    :: taken < Receives && Sequence[taken % PLACES] != 0 ->
        assert(Sequence[taken % PLACES] <= taken + 1);
        if
        :: Sequence[taken % PLACES] == taken + 1 ->
            assert(Payload[taken % PLACES] == 100 + taken);
            taken++;
            Consumed = taken
        :: else -> skip
        fi
    :: break
    od;
#ifndef FAULT_SILENT_END
    Ended = true
#endif
}
