/* Calls on a connection whose pointers, lengths and counts are no good. What is printed must not depend on what carries the bytes. */
#ifndef MEMORY_H
#define MEMORY_H

#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- chance.c: the same numbers for the same seed and case. */
void chance_begin(uint64_t seed, uint64_t number);
uint32_t chance(uint32_t below);
int one_in(uint32_t times);
#define ANY_OF(...) ((const long[]){ __VA_ARGS__ }[chance(sizeof((const long[]){ __VA_ARGS__ }) / sizeof(long))])

/* ---- places.c: memory that is there, or not, or in part. */
void places_prepare(void);
void places_begin(void);

/* Puts an object of so many bytes into a place of its own, which is sound one time in three; what can be stored of it is. Its kind is printed. */
void *place(const char *what, const void *object, size_t bytes);
void *place_sound(const char *what, const void *object, size_t bytes);

/* Of the object placed last: what the call writes there is not to be compared; or in front of it and behind it, either. */
void place_unwatched(void);
void place_ignored(void);

/* True if the object placed last lies in sound memory. */
int place_is_sound(void);

/* Prints what has changed in all places. */
void places_end(void);

/* ---- connection.c */
enum state { EMPTY, DATA, ENDED, DATA_AND_ENDED, FULL, RESET, STATES };
extern const char *const state_names[];
/* handed_back: what is unread may be on its way until its sender makes the next call, and is looked at only behind that. */
struct connection { int subject, peer, handed_back; enum state state; size_t sent; };
void connection_begin(struct connection *connection, enum state state);

/* Prints what is left on both sides. */
void connection_end(struct connection *connection);

/* ---- the calls: each prints its arguments, makes itself, prints what came of it. */
struct call { const char *name; void (*run)(struct connection *connection); };
extern const struct call receiving_calls[], sending_calls[], readiness_calls[], option_calls[], copying_calls[];

/* By its name or, one time in four, by its number (syscall(2)). */
extern int by_number;
#define CALL(name, ...) (by_number ? syscall(SYS_##name, __VA_ARGS__) : (long)name(__VA_ARGS__))

/* "= 5" or "= EFAULT". */
long answer(long result);

#endif
