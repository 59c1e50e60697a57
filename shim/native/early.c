/*
 * The calls before the core is open. A connection is only counted: the core is opened when the first one is worth an offer, and takes over what is there. So a
 * program that moves little never has a runtime in it. All that is kept here is a number of messages and bytes for each connection; the kernel knows the rest.
 * It is exact as long as there is one thread and nothing but plain transfers: before the first thread, fork or copy of a descriptor, and before a socket
 * is registered in an epoll set, the core is opened; if that cannot be, those sockets are the kernel's for good.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "early.h"
#include "freeflow.h"
#include "kernel.h"
#include "signals.h"

#define REAL_OF(name) ((ff_##name##_t)ff_real[FF_REAL_##name])
#define CORE_OF(name) ((ff_##name##_t)ff_core_table[FF_CORE_##name])

void ff_adopt(int fd, int flags, unsigned messages);

struct early { int fd; unsigned messages; unsigned long bytes; };
enum { MOST_EARLY = 64 };
static struct early early[MOST_EARLY];
static int early_count, candidate_count, epoll_count, alone;

/* ---- What is noted. */

static void set_flags(int fd, unsigned char flags) {
  if ((unsigned)fd >= ff_descriptors) return;
  epoll_count += !!(flags & FF_EPOLL) - !!(ff_descriptor_flags[fd] & FF_EPOLL);
  candidate_count += !!(flags & FF_CANDIDATE) - !!(ff_descriptor_flags[fd] & FF_CANDIDATE);
  ff_descriptor_flags[fd] = flags;
}

static void forget(int fd) {
  set_flags(fd, 0);
  for (int i = 0; i < early_count; i++)
    if (early[i].fd == fd) { early[i] = early[--early_count]; break; }
  ff_tracked_count = early_count;
}

void ff_early_forget_all(void) {
  static int never;
  int saved = errno;
  if (ff_core_works() || never) return;
  never = ff_core_is_open < 0;
  for (unsigned fd = 0; fd < ff_descriptors; fd += 8)
    if (*(uint64_t *)(ff_descriptor_flags + fd) != 0) *(uint64_t *)(ff_descriptor_flags + fd) = 0;
  early_count = candidate_count = epoll_count = ff_tracked_count = 0;
  errno = saved;
}

/* A vfork child has its parent's memory, and descriptors of its own. */
static int is_own_memory(void) { return ff_process_id == 0 || ff_process_id == ff_kernel(SYS_getpid, 0, 0, 0, 0, 0, 0); }

static int can_note(int fd) { return fd > 2 && ff_core_is_open == 0 && !ff_locks_future && is_own_memory() && ff_make_descriptor_flags() && (unsigned)fd < ff_descriptors; }

static struct early *find(int fd) {
  for (int i = 0; i < early_count; i++)
    if (early[i].fd == fd) return &early[i];
  return NULL;
}

/* The first 64 connections; a program with more is not one that goes without the core. */
static void note_connection(int fd) {
  if (!can_note(fd)) return;
  forget(fd);
  if (early_count == MOST_EARLY && ff_early_open()) { ff_adopt(fd, FF_CONNECTION, 0); return; }
  if (early_count == MOST_EARLY) return;
  early[early_count++] = (struct early){ fd, 0, 0 };
  set_flags(fd, FF_CONNECTION);
  ff_tracked_count = early_count;
}

/* ---- Opening. */

/* Called by the thread that has opened the core, while the program waits. */
void ff_early_hand_over(void) {
  int count = early_count;
  early_count = ff_tracked_count = 0;
  for (int i = 0; i < count; i++) {
    int fd = early[i].fd;
    ff_descriptor_flags[fd] = 0;
    if (alone) ff_adopt(fd, FF_CONNECTION, early[i].messages);
  }
  for (unsigned fd = 0; fd < ff_descriptors; fd++) {
    if (fd % 8 == 0 && *(uint64_t *)(ff_descriptor_flags + fd) == 0) { fd += 7; continue; }
    if (ff_descriptor_flags[fd] & (FF_CANDIDATE | FF_EPOLL)) ff_adopt((int)fd, ff_descriptor_flags[fd], 0);
  }
}

int ff_early_open(void) {
  if (ff_core_works()) return 1;
  if (!is_own_memory()) return 0;
  if (early_count > 0) alone = !ff_has_threads();
  int opened = ff_open();
  if (!opened && ff_core_is_open < 0) ff_early_forget_all();
  return opened;
}

/* Before what cannot be counted here. */
int ff_early_open_or_forget(void) {
  if (ff_core_works()) return 1;
  if (ff_early_open()) return 1;
  ff_early_forget_all();
  return 0;
}

/* FREEFLOW_OFFER_AFTER=messages[/bytes]; as FreeFlow.Shim.Control.Settings reads it. */
static unsigned long after_messages = 8, after_bytes = 65536;
static void read_settings(void) {
  static int known;
  if (known) return;
  known = 1;
  const char *text = getenv("FREEFLOW_OFFER_AFTER");
  if (!text || !*text) return;
  char *end = (char *)text;
  after_messages = *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
  after_bytes = after_messages == 0 ? 0 : ~0ul;
  if (*end == '/') after_bytes = end[1] >= '0' && end[1] <= '9' ? strtoul(end + 1, NULL, 10) : 0;
}

/* Where connections are offered at once, or several threads may use one, nothing is counted here. */
static int opens_at_once(void) {
  read_settings();
  if (ff_core_is_open < 0) return 0;
  return after_messages == 0 || ff_has_threads();
}

/* Before a transfer: true if the core has taken the connection over. */
static int is_worth_it(int fd) {
  struct early *one = find(fd);
  if (ff_core_works()) return 1;
  if (!one) return 0;
  if (one->messages + 1 < after_messages && one->bytes < after_bytes) return 0;
  if (ff_early_open()) return 1;
  /* Not at this moment: once more after as many messages again. */
  one = find(fd);
  if (one) { one->messages = 0; one->bytes = 0; }
  return 0;
}

static ssize_t count(int fd, ssize_t result) {
  struct early *one = ff_core_works() ? NULL : find(fd);
  if (!one || result <= 0) return result;
  one->messages++;
  one->bytes += (unsigned long)result;
  return result;
}

/* ---- Sockets. */

/* What is submitted to an io_uring is seen by the core alone. */
static int has_ring;
void ff_early_ring_made(void) {
  has_ring = 1;
  if (early_count + candidate_count + epoll_count > 0) ff_early_open_or_forget();
}

int ff_early_socket(int domain, int type, int protocol) {
  if (has_ring && ff_early_open()) return CORE_OF(socket)(domain, type, protocol);
  int fd = REAL_OF(socket)(domain, type, protocol);
  if (fd >= 0 && can_note(fd)) { forget(fd); set_flags(fd, FF_CANDIDATE); }
  return fd;
}

int ff_early_connect(int fd, const void *address, unsigned length) {
  int known = FF_FLAGS(fd) & FF_CONNECTION;
  if (!known && opens_at_once()) {
    if (ff_early_open()) return CORE_OF(connect)(fd, address, length);
    if (is_own_memory()) forget(fd);
    return REAL_OF(connect)(fd, address, length);
  }
  int result = REAL_OF(connect)(fd, address, length), saved = errno;
  if (!is_own_memory() || ff_core_works()) return result;
  int begins = result == 0 || saved == EINPROGRESS || saved == EINTR;
  /* The kernel has read the address. AF_UNSPEC undoes a connection (connect(2)). */
  int undoes = begins && length >= sizeof(sa_family_t) && ((const struct sockaddr *)address)->sa_family == AF_UNSPEC;
  if (undoes) { forget(fd); set_flags(fd, FF_CANDIDATE); }
  else if (begins && !known) note_connection(fd);
  errno = saved;
  return result;
}

int ff_early_accept4(int fd, void *address, unsigned *length, int flags) {
  if (opens_at_once() && ff_early_open()) return CORE_OF(accept4)(fd, address, length, flags);
  int accepted = REAL_OF(accept4)(fd, address, length, flags), saved = errno;
  if (accepted >= 0 && !ff_core_works() && !opens_at_once()) note_connection(accepted);
  errno = saved;
  return accepted;
}

int ff_early_accept(int fd, void *address, unsigned *length) {
  if (opens_at_once() && ff_early_open()) return CORE_OF(accept)(fd, address, length);
  int accepted = REAL_OF(accept)(fd, address, length), saved = errno;
  if (accepted >= 0 && !ff_core_works() && !opens_at_once()) note_connection(accepted);
  errno = saved;
  return accepted;
}

/* Whoever ends a stream has done most with it, and the router takes established connections only. */
int ff_early_shutdown(int fd, int how) {
  int result = REAL_OF(shutdown)(fd, how);
  if (result == 0 && is_own_memory()) forget(fd);
  return result;
}

int ff_early_close(int fd) {
  if (is_own_memory()) forget(fd);
  return REAL_OF(close)(fd);
}

static void forget_range(unsigned first, unsigned last) {
  for (unsigned fd = first; fd <= last && fd < ff_descriptors; fd++) {
    if (fd % 8 == 0 && *(uint64_t *)(ff_descriptor_flags + fd) == 0) { fd += 7; continue; }
    if (ff_descriptor_flags[fd]) forget((int)fd);
  }
}

int ff_early_close_range(unsigned first, unsigned last, int flags) {
  enum { CLOSE_ON_EXEC = 4 };
  int result = REAL_OF(close_range)(first, last, flags), saved = errno;
  if (result == 0 && !(flags & CLOSE_ON_EXEC) && is_own_memory()) forget_range(first, last);
  errno = saved;
  return result;
}

void ff_early_closefrom(int first) {
  REAL_OF(closefrom)(first);
  if (is_own_memory()) forget_range(first < 0 ? 0 : (unsigned)first, ~0u);
}

/* Options that ask for what only the kernel does: FreeFlow.Shim.Sockets.KernelOptions. A time-out that is not positive means other things to the core. */
static int is_for_the_kernel(int level, int option, const void *value, unsigned length) {
  const struct timeval *time = value;
  if (level == SOL_SOCKET)
    switch (option) {
      case 18: case 26: case 29: case 35: case 37: case 42: case 50: case 60: case 63: case 64: case 65: return 1;
      case SO_RCVTIMEO: case SO_SNDTIMEO: case 66: case 67: return length < sizeof *time || time->tv_sec < 0 || time->tv_usec < 0;
      default: return 0;
    }
  return level == 6 && (option == 31 || option == 19 || option == 36);
}

int ff_early_setsockopt(int fd, int level, int option, const void *value, unsigned length) {
  int result = REAL_OF(setsockopt)(fd, level, option, value, length);
  if (result == 0 && is_for_the_kernel(level, option, value, length) && is_own_memory()) forget(fd);
  return result;
}

int ff_early_getsockopt(int fd, int level, int option, void *value, unsigned *length) { return REAL_OF(getsockopt)(fd, level, option, value, length); }

int ff_early_fcntl(int fd, int command, void *argument) {
  if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) return ff_early_open_or_forget() ? CORE_OF(fcntl)(fd, command, argument) : REAL_OF(fcntl)(fd, command, argument);
  int result = REAL_OF(fcntl)(fd, command, argument);
  if (result == 0 && command == F_SETFL && ((long)argument & O_ASYNC)) forget(fd);
  return result;
}

int ff_early_ioctl(int fd, unsigned long request, void *argument) {
  int result = REAL_OF(ioctl)(fd, request, argument);
  if (result == 0 && request == FIOASYNC) forget(fd);
  return result;
}

/* ---- Transfers. */

#define TRANSFER(name, declared, passed) \
  ssize_t ff_early_##name declared { return is_worth_it(fd) ? CORE_OF(name) passed : count(fd, REAL_OF(name) passed); }
TRANSFER(read, (int fd, void *buffer, size_t bytes), (fd, buffer, bytes))
TRANSFER(readv, (int fd, const void *vectors, int number), (fd, vectors, number))
TRANSFER(write, (int fd, const void *buffer, size_t bytes), (fd, buffer, bytes))
TRANSFER(writev, (int fd, const void *vectors, int number), (fd, vectors, number))
TRANSFER(recv, (int fd, void *buffer, size_t bytes, int flags), (fd, buffer, bytes, flags))
TRANSFER(recvfrom, (int fd, void *buffer, size_t bytes, int flags, void *address, unsigned *length), (fd, buffer, bytes, flags, address, length))
TRANSFER(recvmsg, (int fd, void *message, int flags), (fd, message, flags))

/* Urgent bytes and zero-copy are the kernel's. */
static int is_plain(int fd, int flags) {
  int plain = (flags & ~(MSG_NOSIGNAL | MSG_DONTWAIT | MSG_MORE | MSG_EOR | MSG_CONFIRM | MSG_DONTROUTE)) == 0;
  if (!plain && !ff_core_works() && is_own_memory()) forget(fd);
  return plain;
}

ssize_t ff_early_send(int fd, const void *buffer, size_t bytes, int flags) {
  return is_plain(fd, flags) && is_worth_it(fd) ? CORE_OF(send)(fd, buffer, bytes, flags) : count(fd, REAL_OF(send)(fd, buffer, bytes, flags));
}

ssize_t ff_early_sendto(int fd, const void *buffer, size_t bytes, int flags, const void *address, unsigned length) {
  return is_plain(fd, flags) && is_worth_it(fd) ? CORE_OF(sendto)(fd, buffer, bytes, flags, address, length) : count(fd, REAL_OF(sendto)(fd, buffer, bytes, flags, address, length));
}

/* What has been passed to another process is out of sight; the kernel has read the message. */
static void forget_passed(int fd, const struct msghdr *message) {
  if (message->msg_controllen == 0) return;
  if (FF_FLAGS(fd) & FF_CONNECTION) forget(fd);
  for (struct cmsghdr *one = CMSG_FIRSTHDR(message); one; one = CMSG_NXTHDR((struct msghdr *)message, one)) {
    if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_RIGHTS) continue;
    for (size_t i = 0; CMSG_LEN((i + 1) * sizeof(int)) <= one->cmsg_len; i++) forget(((int *)CMSG_DATA(one))[i]);
  }
}

ssize_t ff_early_sendmsg(int fd, const void *message, int flags) {
  if (is_plain(fd, flags) && is_worth_it(fd)) return CORE_OF(sendmsg)(fd, message, flags);
  ssize_t result = count(fd, REAL_OF(sendmsg)(fd, message, flags));
  if (result >= 0 && !ff_core_works() && is_own_memory()) forget_passed(fd, message);
  return result;
}

/* ---- Readiness: with one thread nothing changes while it sleeps. */

int ff_early_poll(void *descriptors, unsigned long number, int timeout) { return REAL_OF(poll)(descriptors, number, timeout); }
int ff_early_ppoll(void *descriptors, unsigned long number, const void *timeout, const void *mask) { return REAL_OF(ppoll)(descriptors, number, timeout, mask); }
int ff_early_select(int limit, void *readable, void *writable, void *exceptional, void *timeout) { return REAL_OF(select)(limit, readable, writable, exceptional, timeout); }
int ff_early_pselect(int limit, void *readable, void *writable, void *exceptional, const void *timeout, const void *mask) {
  return REAL_OF(pselect)(limit, readable, writable, exceptional, timeout, mask);
}

static int note_set(int fd) {
  int saved = errno;
  if (fd >= 0 && can_note(fd)) { forget(fd); set_flags(fd, FF_EPOLL); }
  errno = saved;
  return fd;
}
int ff_early_epoll_create(int size) { return has_ring && ff_early_open() ? CORE_OF(epoll_create)(size) : note_set(REAL_OF(epoll_create)(size)); }
int ff_early_epoll_create1(int flags) { return has_ring && ff_early_open() ? CORE_OF(epoll_create1)(flags) : note_set(REAL_OF(epoll_create1)(flags)); }

/* Another thread may register a socket while this one sleeps. */
static int opens_to_sleep(void) { return ff_may_have_threads() && ff_early_open_or_forget(); }
int ff_early_epoll_wait(int epoll, void *events, int capacity, int timeout) {
  return opens_to_sleep() ? CORE_OF(epoll_wait)(epoll, events, capacity, timeout) : REAL_OF(epoll_wait)(epoll, events, capacity, timeout);
}
int ff_early_epoll_pwait(int epoll, void *events, int capacity, int timeout, const void *mask) {
  return opens_to_sleep() ? CORE_OF(epoll_pwait)(epoll, events, capacity, timeout, mask) : REAL_OF(epoll_pwait)(epoll, events, capacity, timeout, mask);
}
int ff_early_epoll_pwait2(int epoll, void *events, int capacity, const void *timeout, const void *mask) {
  return opens_to_sleep() ? CORE_OF(epoll_pwait2)(epoll, events, capacity, timeout, mask) : REAL_OF(epoll_pwait2)(epoll, events, capacity, timeout, mask);
}

/* ---- Threads and processes. */

FF_EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *argument) {
  if (early_count > 0 && !ff_core_works() && !ff_is_opening()) {
    int saved = errno;
    ff_early_open_or_forget();
    errno = saved;
  }
  return REAL(pthread_create)(thread, attributes, function, argument);
}

/* A child of a process with threads cannot open the core. */
static int fork_needs_core(void) { return early_count > 0 || (candidate_count > 0 && (epoll_count > 0 || ff_may_have_threads())); }

/* Before a fork by an interposed call. */
void ff_early_before_fork(void) {
  int saved = errno;
  if (!ff_core_works() && fork_needs_core()) ff_early_open_or_forget();
  errno = saved;
}

/* Before every fork, those inside libc included, at which nothing can be opened. Epoll sets are the child's, too, from now on. */
void ff_early_unseen_fork(void) {
  if (ff_core_works()) return;
  if (early_count > 0) ff_early_forget_all();
  for (unsigned fd = 0; epoll_count > 0 && fd < ff_descriptors; fd++) {
    if (fd % 8 == 0 && *(uint64_t *)(ff_descriptor_flags + fd) == 0) { fd += 7; continue; }
    if (ff_descriptor_flags[fd] & FF_EPOLL) ff_descriptor_flags[fd] |= FF_COPIED;
  }
}

/* Before another program is started: it may move bytes on what it inherits. */
void ff_early_before_spawn(void) {
  int saved = errno;
  for (int i = early_count - 1; i >= 0; i--) {
    long flags = ff_kernel(SYS_fcntl, early[i].fd, F_GETFD, 0, 0, 0, 0);
    if (flags < 0 || !(flags & FD_CLOEXEC)) forget(early[i].fd);
  }
  errno = saved;
}

void ff_early_given_away(int fd) {
  if (!ff_core_works()) forget(fd);
}

int ff_locks_future;
FF_EXPORT int mlockall(int flags) {
  int result = REAL(mlockall)(flags);
  if (result == 0 && (flags & MCL_FUTURE)) ff_locks_future = 1;
  return result;
}
