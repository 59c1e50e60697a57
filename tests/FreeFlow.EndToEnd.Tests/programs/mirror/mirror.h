/* Two routers and the way between them, in one process: gives each end of a connection a mirrored ring of its own (docs/fabric.md) and copies between the two. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { KERNEL, READY, RING, BACK };
enum { NONE, ASKED, TAKEN_UP, WITHDRAWN };   /* RecallState.cs */
enum { CAPACITY = 1 << 16, HEADER = 512, BLOCK = 69632 };   /* BLOCK: header and data, whole pages */

/* FreeFlow.Contract/Layout/RingBlockHeader.cs */
struct block {
    uint32_t magic, version; uint64_t capacity; char pad0[48];
    uint64_t tail, base, switch_at, back_at, written_at; char pad1[24];
    uint64_t head; char pad2[56];
    uint32_t reader_waiting; char pad3[60];
    uint32_t writer_waiting; char pad4[60];
    uint32_t handover, reader_wants_kernel, reader_closed, writer_closed, reader_buffer, returner; uint64_t return_end, return_sent; char pad5[24];
    unsigned char return_mark[16]; char pad6[112];
    unsigned char data[];
};
_Static_assert(sizeof(struct block) == HEADER, "RingLayout.HeaderBytes");

/* One end of a connection, as its router sees it. */
struct end {
    int session;            /* control connection, */
    uint64_t record, generation;   /* and what the shim calls the connection */
    unsigned char local[32], remote[32];   /* addresses, of getsockname and getpeername */
    char *ring;             /* side 0 is the shim's */
    int bell;               /* this router's end of the doorbell, -1 once closed */
    bool gone;              /* the shim's end is closed */
};

/* What one router has told the other: it arrives in order, and some time later. */
struct word { int kind; uint64_t value; uint64_t due; unsigned char *bytes; unsigned length; struct word *next; };
struct way { struct word *first, *last; };

/* Bytes from end[from] to end[1 - from]. */
struct direction {
    int from;
    struct way forward, backward;
    bool ready_told, want_told, stay_told, switch_told, closed_told, reader_closed_told, ready;
    uint64_t forwarded, head_told;
};

struct pair {
    struct end end[2];
    struct direction direction[2];
    bool early;             /* the way may be lost before each sender knows that its reader is Ready */
    uint64_t random, die_after, close_at[2];   /* words carried until the way is lost; when each router notices */
    uint64_t carried;
    struct pair *next;
};

uint64_t now(void);
uint64_t draw(uint64_t *random, uint64_t below);
bool carry(struct pair *pair);   /* one look at everything; true if something is on its way */
