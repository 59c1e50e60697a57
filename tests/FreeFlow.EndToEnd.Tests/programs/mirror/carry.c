/* What the two routers do with the words of a block: the table of docs/fabric.md. */
#define _GNU_SOURCE
#include "mirror.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { TO_READY, TO_SWITCH, TO_DATA, TO_CLOSED, TO_HEAD, TO_WANT, TO_KERNEL, TO_READER_CLOSED, TO_STAY, TO_ANSWER };

uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000ull + time.tv_nsec;
}

/* xorshift64* */
uint64_t draw(uint64_t *random, uint64_t below) {
    *random ^= *random >> 12; *random ^= *random << 25; *random ^= *random >> 27;
    return below ? (*random * 0x2545F4914F6CDD1Dull >> 33) % below : 0;
}

static struct word *tell(struct pair *pair, struct way *way, int kind, uint64_t value) {
    struct word *word = calloc(1, sizeof *word);
    word->kind = kind;
    word->value = value;
    word->due = now() + (draw(&pair->random, 4) ? draw(&pair->random, 100000) : draw(&pair->random, 3000000));
    if (way->last && way->last->due > word->due) word->due = way->last->due;
    if (way->last) way->last->next = word; else way->first = word;
    way->last = word;
    return word;
}

static void forget(struct way *way) {
    while (way->first) {
        struct word *word = way->first;
        way->first = word->next;
        free(word->bytes);
        free(word);
    }
    way->last = NULL;
}

static void ring(struct end *end) {
    if (end->bell >= 0 && send(end->bell, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) { /* full, or closed: poll tells */ }
}

static void wake_reader(struct end *end, struct block *block) { if (__atomic_exchange_n(&block->reader_waiting, 0, __ATOMIC_SEQ_CST)) ring(end); }
static void wake_writer(struct end *end, struct block *block) { if (__atomic_exchange_n(&block->writer_waiting, 0, __ATOMIC_SEQ_CST)) ring(end); }

static bool swap(uint32_t *word, uint32_t from, uint32_t to) { return __atomic_compare_exchange_n(word, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); }
#define LOAD(word) __atomic_load_n(&(word), __ATOMIC_SEQ_CST)
#define STORE(word, value) __atomic_store_n(&(word), (value), __ATOMIC_SEQ_CST)

/* The sender's router looks at its block; the reader's at its own. */
static void look(struct pair *pair, struct direction *d, struct block *out, struct block *in) {
    struct end *sender = &pair->end[d->from], *reader = &pair->end[1 - d->from];
    if (sender->bell >= 0) {
        STORE(out->reader_waiting, 1);
        bool gone = sender->gone, closed = LOAD(out->writer_closed);
        uint32_t state = LOAD(out->handover);
        uint64_t tail = LOAD(out->tail);
        if (state >= RING && (tail > 0 || state == RING) && !d->switch_told) { d->switch_told = true; tell(pair, &d->forward, TO_SWITCH, LOAD(out->switch_at)); }
        while (state == RING && d->forwarded < tail) {
            unsigned length = tail - d->forwarded < 4096 ? tail - d->forwarded : 4096;
            if (draw(&pair->random, 2)) length = 1 + draw(&pair->random, length);
            struct word *word = tell(pair, &d->forward, TO_DATA, d->forwarded);
            word->bytes = malloc(length);
            word->length = length;
            for (unsigned i = 0; i < length; i++) word->bytes[i] = out->data[(d->forwarded + i - LOAD(out->base)) & (CAPACITY - 1)];
            d->forwarded += length;
        }
        if ((gone || closed) && !d->closed_told && (state != RING || (d->forwarded == LOAD(out->tail) && gone))) { d->closed_told = true; tell(pair, &d->forward, TO_CLOSED, 0); }
    }
    if (reader->bell >= 0) {
        STORE(in->writer_waiting, 1);
        if (LOAD(in->handover) == READY && !d->ready_told) { d->ready_told = true; tell(pair, &d->backward, TO_READY, 0); }
        uint32_t wants = LOAD(in->reader_wants_kernel);
        if (wants == ASKED && !d->want_told) { d->want_told = true; tell(pair, &d->backward, TO_WANT, 0); }
        if (wants == WITHDRAWN && !d->want_told) swap(&in->reader_wants_kernel, WITHDRAWN, NONE);
        else if (wants == WITHDRAWN && !d->stay_told) { d->stay_told = true; tell(pair, &d->backward, TO_STAY, 0); }
        if (LOAD(in->head) != d->head_told) { d->head_told = LOAD(in->head); tell(pair, &d->backward, TO_HEAD, d->head_told); }
        if ((LOAD(in->reader_closed) || reader->gone) && !d->reader_closed_told) { d->reader_closed_told = true; tell(pair, &d->backward, TO_READER_CLOSED, 0); }
    }
}

static void at_sender(struct pair *pair, struct direction *d, struct block *out, struct word *word) {
    struct end *sender = &pair->end[d->from];
    switch (word->kind) {
    case TO_READY: swap(&out->handover, KERNEL, READY); d->ready = true; break;
    case TO_HEAD: STORE(out->head, word->value); wake_writer(sender, out); break;
    case TO_READER_CLOSED: STORE(out->reader_closed, 1); ring(sender); break;
    case TO_WANT:
        if (swap(&out->handover, READY, KERNEL)) tell(pair, &d->forward, TO_KERNEL, 0);
        else {
            swap(&out->reader_wants_kernel, NONE, ASKED);
            if (LOAD(out->handover) == BACK) swap(&out->reader_wants_kernel, ASKED, TAKEN_UP);
            ring(sender);
        }
        break;
    case TO_STAY: tell(pair, &d->forward, TO_ANSWER, swap(&out->reader_wants_kernel, ASKED, NONE)); break;
    }
}

static void at_reader(struct pair *pair, struct direction *d, struct block *in, struct word *word) {
    struct end *reader = &pair->end[1 - d->from];
    switch (word->kind) {
    case TO_SWITCH:
        STORE(in->switch_at, word->value);
        if (!swap(&in->handover, READY, RING)) tell(pair, &d->backward, TO_WANT, 0);
        wake_reader(reader, in);
        break;
    case TO_DATA:
        if (LOAD(in->handover) != RING) break;
        for (unsigned i = 0; i < word->length; i++) in->data[(word->value + i) & (CAPACITY - 1)] = word->bytes[i];
        STORE(in->tail, word->value + word->length);
        wake_reader(reader, in);
        break;
    case TO_CLOSED: STORE(in->writer_closed, 1); ring(reader); break;
    case TO_KERNEL: swap(&in->handover, READY, KERNEL); ring(reader); break;
    case TO_ANSWER:
        d->want_told = d->stay_told = false;
        swap(&in->reader_wants_kernel, WITHDRAWN, word->value ? NONE : TAKEN_UP);
        break;
    }
}

static bool arrive(struct pair *pair, struct direction *d, struct way *way, bool forward, struct block *block) {
    while (way->first && way->first->due <= now()) {
        struct word *word = way->first;
        way->first = word->next;
        if (!way->first) way->last = NULL;
        if (forward) at_reader(pair, d, block, word); else at_sender(pair, d, block, word);
        free(word->bytes);
        free(word);
        pair->carried++;
    }
    return way->first != NULL;
}

bool carry(struct pair *pair) {
    bool busy = false;
    bool lost = pair->carried >= pair->die_after && (pair->early || (pair->direction[0].ready && pair->direction[1].ready));
    for (int i = 0; i < 2; i++) {
        struct direction *d = &pair->direction[i];
        struct block *out = (struct block *)pair->end[d->from].ring, *in = (struct block *)(pair->end[1 - d->from].ring + BLOCK);
        if (lost) { forget(&d->forward); forget(&d->backward); continue; }
        look(pair, d, out, in);
        busy |= arrive(pair, d, &d->forward, true, in) | arrive(pair, d, &d->backward, false, out);
    }
    for (int i = 0; i < 2 && lost; i++) {
        if (!pair->close_at[i]) pair->close_at[i] = now() + (draw(&pair->random, 2) ? draw(&pair->random, 20000000) : 0);
        if (pair->end[i].bell >= 0 && now() >= pair->close_at[i]) { close(pair->end[i].bell); pair->end[i].bell = -1; }
        busy |= pair->end[i].bell >= 0;
    }
    return busy;
}
