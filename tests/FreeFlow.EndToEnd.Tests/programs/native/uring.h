/* An io_uring by raw system calls, for the experiments with them. */
#ifndef URING_H
#define URING_H

#include "experiment.h"

#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

/* Newer than the headers may be. */
enum { OP_EPOLL_WAIT = 59, SETUP_NO_SQARRAY = 1 << 16, REGISTER_RING_FDS = 20, ENTER_REGISTERED_RING = 16 };

static char buffer[200000];

struct raw { int fd; struct io_uring_params given; char *rings; struct io_uring_sqe *entries; unsigned queued; };

static inline int raw_open(struct raw *ring, unsigned entries, unsigned flags) {
  memset(ring, 0, sizeof *ring);
  ring->given.flags = flags;
  ring->fd = (int)syscall(SYS_io_uring_setup, (long)entries, &ring->given);
  if (ring->fd < 0) return 0;
  size_t bytes = ring->given.cq_off.cqes + ring->given.cq_entries * sizeof(struct io_uring_cqe);
  size_t others = ring->given.sq_off.array + ring->given.sq_entries * sizeof(unsigned);
  ring->rings = mmap(NULL, bytes > others ? bytes : others, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
  ring->entries = mmap(NULL, ring->given.sq_entries * sizeof *ring->entries, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQES);
  return 1;
}

#define WORD(ring, offset) ((unsigned *)((ring)->rings + (ring)->given.offset))

/* The entry that is submitted next. Entries and places of the index array go in opposite directions: who reads one for the other is found out. */
static inline struct io_uring_sqe *raw_entry(struct raw *ring, unsigned char opcode, int fd) {
  unsigned tail = *WORD(ring, sq_off.tail) + ring->queued++, mask = ring->given.sq_entries - 1;
  unsigned slot = ring->given.flags & SETUP_NO_SQARRAY ? tail & mask : mask - (tail & mask);
  if (!(ring->given.flags & SETUP_NO_SQARRAY)) WORD(ring, sq_off.array)[tail & mask] = slot;
  memset(ring->entries + slot, 0, sizeof *ring->entries);
  ring->entries[slot].opcode = opcode;
  ring->entries[slot].fd = fd;
  return ring->entries + slot;
}

static inline struct io_uring_sqe *raw_transfer(struct raw *ring, unsigned char opcode, int fd, const void *bytes, unsigned count) {
  struct io_uring_sqe *entry = raw_entry(ring, opcode, fd);
  entry->addr = (uint64_t)(uintptr_t)bytes;
  entry->len = count;
  return entry;
}

static inline long raw_submit(struct raw *ring, unsigned wait) {
  unsigned count = ring->queued;
  ring->queued = 0;
  __atomic_store_n(WORD(ring, sq_off.tail), *WORD(ring, sq_off.tail) + count, __ATOMIC_RELEASE);
  return syscall(SYS_io_uring_enter, (long)ring->fd, (long)count, (long)wait, wait ? (long)IORING_ENTER_GETEVENTS : 0L, NULL, 0L);
}

/* The result of the oldest completion. */
static inline long raw_result(struct raw *ring) {
  unsigned *head = WORD(ring, cq_off.head);
  while (__atomic_load_n(WORD(ring, cq_off.tail), __ATOMIC_ACQUIRE) == *head) syscall(SYS_io_uring_enter, (long)ring->fd, 0L, 1L, (long)IORING_ENTER_GETEVENTS, NULL, 0L);
  struct io_uring_cqe *event = (struct io_uring_cqe *)(ring->rings + ring->given.cq_off.cqes) + (*head & (ring->given.cq_entries - 1));
  long result = event->res;
  __atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
  return result;
}

static inline long completion(const char *what, long result) {
  if (result < 0) errno = (int)-result;
  return report(what, result);
}

static inline long raw_one(struct raw *ring, const char *what) {
  raw_submit(ring, 1);
  return completion(what, raw_result(ring));
}

static inline void text(const char *what, long length) {
  if (length > 0) printf("%s: %.*s\n", what, (int)length, buffer);
  else report(what, length);
}

#define OPEN(ring) struct raw ring; if (!raw_open(&ring, 8, 0)) { puts("no io_uring here"); return; }

static inline void show_set(const char *what, int set, int timeout) {
  struct epoll_event found[4];
  int count = epoll_wait(set, found, 4, timeout);
  report(what, count);
  for (int i = 0; i < count; i++) printf("  %x %llx\n", found[i].events, (unsigned long long)found[i].data.u64);
}

#endif
